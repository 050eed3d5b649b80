import * as z from "zod";
import { auth } from "./auth.ts";
import type { Camel } from "./camel.ts";
import { limits } from "./limits.ts";
import { listeners } from "./listeners.ts";
import { choice, count, folder, hostName, optionalAddress, optionalFile, version } from "./option.ts";
import { always, section } from "./section.ts";
import { optionalHeader } from "./special.ts";

const server = section(
  { en: "The server as a whole.", zh: "服务器整体设置。" },
  {
    hostname: hostName({
      default: "localhost",
      help: {
        en: "What the server calls itself: in greetings, in Received fields and in the certificate it makes itself.",
        zh: "服务器的名称，用于问候语、Received 字段和自签名证书。",
      },
      reload: "restart",
      example: "mail.example.com",
    }),
    data_directory: folder({
      default: "data",
      help: {
        en: "Where mail and accounts are kept. A relative path counts from the folder of the configuration file, or from the current folder when there is no file.",
        zh: "邮件和账户的存放位置。相对路径从配置文件所在的文件夹算起；没有配置文件时从当前文件夹算起。",
      },
      reload: "restart",
      example: "/var/lib/mailkeep",
    }),
    postmaster: optionalAddress({
      help: {
        en: "The account that gets the mail for postmaster in every domain. A domain with an account of that name keeps its own.",
        zh: "接收所有域名下 postmaster 邮件的账户。若某域名自有该账户，则仍投递给该账户。",
      },
      absent: { en: "none: only an account of that name gets it", zh: "无：只有同名账户接收" },
      reload: "live",
      example: "admin@example.com",
    }),
    threads: count({
      min: 0,
      max: 256,
      default: 0,
      help: {
        en: "Threads that speak the protocols. 0: one for each CPU less one, at least one.",
        zh: "处理协议的线程数。0：CPU 数减一，至少为一。",
      },
      reload: "restart",
    }),
    drain_seconds: count({
      min: 0,
      max: 3600,
      default: 30,
      help: {
        en: "How long sessions may go on after the server was told to stop.",
        zh: "收到停止信号后，会话可继续的时间（秒）。",
      },
      reload: "live",
    }),
  },
);

const tls = section(
  {
    en: "The server's certificate. Without one the server makes a self-signed one in its data folder.",
    zh: "服务器证书。未设置时，服务器会在数据文件夹中生成自签名证书。",
  },
  {
    certificate: optionalFile({
      help: {
        en: "The certificate and those between it and the authority, PEM. Read again when it changes.",
        zh: "证书及其中间证书，PEM 格式。文件变化时会重新读取。",
      },
      absent: { en: "none: a self-signed one", zh: "无：使用自签名证书" },
      reload: "live",
      example: "/etc/letsencrypt/live/mail.example.com/fullchain.pem",
    }),
    key: optionalFile({
      help: { en: "The certificate's private key, PEM.", zh: "证书的私钥，PEM 格式。" },
      absent: { en: "none: a self-signed one", zh: "无：使用自签名证书" },
      reload: "live",
      example: "/etc/letsencrypt/live/mail.example.com/privkey.pem",
    }),
    minimum_version: version({
      values: ["1.2", "1.3"],
      default: "1.2",
      help: {
        en: "The oldest TLS version that is spoken. Older than 1.2 is never spoken (RFC 8996).",
        zh: "允许的最低 TLS 版本。任何情况下都不使用低于 1.2 的版本（RFC 8996）。",
      },
      reload: "live",
    }),
  },
).check(
  always<{ certificate?: string | undefined; key?: string | undefined }>((value, context) => {
    const { certificate, key } = value;
    if ((certificate === undefined) === (key === undefined)) return;
    const [given, missing] = certificate === undefined ? ["key", "certificate"] : ["certificate", "key"];
    const words = {
      en: `tls.${given} needs tls.${missing} beside it`,
      zh: `设置了 tls.${given}，还需要设置 tls.${missing}`,
    };
    context.addIssue({ code: "custom", path: [given], input: value, params: { words } });
  }),
);

const store = section(
  { en: "Where mail is kept.", zh: "邮件存储。" },
  {
    free_percent: count({
      min: 0,
      max: 50,
      default: 5,
      help: {
        en: "Below this share of free disk, removed mail that undelete keeps is erased, the oldest first, before any new mail is turned away.",
        zh: "磁盘剩余空间低于此百分比时，先清除为恢复而保留的已删除邮件（从最早的开始），再拒收新邮件。",
      },
      reload: "live",
    }),
  },
);

const retention = section(
  { en: "How long mail, and what is known of it, is kept.", zh: "邮件及其记录的保留时间。" },
  {
    expire_days: count({
      min: 0,
      max: 36_500,
      default: 0,
      help: {
        en: "Mail older than this is removed, unless its user has a figure of its own; announced as EXPIRE. 0: it stays until it is deleted.",
        zh: "超过此天数的邮件会被删除，用户自有设置时以其为准，通过 EXPIRE 公布。0：保留至被删除为止。",
      },
      reload: "live",
    }),
    undelete_days: count({
      min: 0,
      max: 3650,
      default: 14,
      help: {
        en: "How long removed mail can be brought back (mailkeep maildrop restore). It counts towards no quota. 0: removed is gone.",
        zh: "已删除的邮件可恢复的天数（mailkeep maildrop restore），不计入用户容量。0：删除后不可恢复。",
      },
      reload: "live",
    }),
    history_days: count({
      min: 1,
      max: 3650,
      default: 90,
      help: {
        en: "How long it is known what became of each message (mailkeep maildrop history).",
        zh: "每封邮件去向记录（mailkeep maildrop history）的保留天数。",
      },
      reload: "live",
    }),
    erase_days: count({
      min: 0,
      max: 3650,
      default: 7,
      help: {
        en: "What nobody can reach any more leaves the disk within this time.",
        zh: "已无法访问的内容会在此天数内从磁盘上清除。",
      },
      reload: "live",
    }),
  },
);

const intake = section(
  { en: "What is done with mail that comes in.", zh: "对收到的邮件的处理。" },
  {
    junk_header: optionalHeader({
      help: {
        en: "Mail with this header field goes to Junk, which is fetched as user+junk@domain. Set it to what your filter writes (rspamd, SpamAssassin); who can reach the server around the filter can write it too.",
        zh: "带有此邮件头字段的邮件投入垃圾邮件箱，以 user+junk@域名 收取。填写过滤器（rspamd、SpamAssassin）所写的字段；能绕过过滤器直接投递者也可伪造它。",
      },
      absent: { en: "none: all mail goes to INBOX", zh: "无：全部投入收件箱" },
      reload: "live",
      example: '"X-Spam-Flag: YES"',
    }),
  },
);

const log = section(
  { en: "What the server writes about its work.", zh: "日志。" },
  {
    level: choice({
      values: ["debug", "info", "warn", "error"],
      default: "info",
      help: { en: "The least important events that are written.", zh: "写入日志的最低级别。" },
      reload: "live",
    }),
    format: choice({
      values: ["auto", "json", "console"],
      default: "auto",
      help: {
        en: "json: one JSON object a line; console: for people; auto: console on a terminal, else json.",
        zh: "json：每行一个 JSON 对象；console：便于人阅读；auto：在终端上为 console，否则为 json。",
      },
      reload: "restart",
    }),
  },
);

/** Every option, once: type, default, limits, help, and whether a reload applies it. */
export const schema = z.strictObject({ server, listeners, tls, auth, store, limits, retention, intake, log });

/** The configuration as the program uses it: sizes in octets, addresses as unions, paths absolute. */
export type Config = Camel<z.output<typeof schema>>;
