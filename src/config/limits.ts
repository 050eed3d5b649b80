import { count, octets } from "./option.ts";
import { section } from "./section.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const TIB = 1024 * GIB;

/** How much is taken, held and waited for. */
export const limits = section(
  {
    en: "How much is taken, held and waited for. Every limit is there so that nobody can take what others need.",
    zh: "接收、保存与等待的上限。每一项都是为了避免有人占用他人所需的资源。",
  },
  {
    message_octets: octets({
      min: 64 * KIB,
      max: GIB,
      default: "50 MiB",
      help: {
        en: "The largest message that is taken; announced as SIZE. RFC 5321 §4.5.3.1.7 asks for 64 KiB at least.",
        zh: "可接收的最大邮件，通过 SIZE 公布。RFC 5321 §4.5.3.1.7 要求至少 64 KiB。",
      },
      reload: "live",
    }),
    mailbox_octets: octets({
      min: MIB,
      max: 64 * TIB,
      default: "10 GiB",
      help: {
        en: "What an account may hold, INBOX and Junk together, unless it has a quota of its own.",
        zh: "每个账户的容量上限（收件箱与垃圾邮件合计），账户自有配额时以配额为准。",
      },
      reload: "live",
    }),
    mailbox_messages: count({
      min: 1,
      max: 4_000_000,
      default: 1_000_000,
      help: {
        en: "How many messages an account may hold, unless it has a quota of its own.",
        zh: "每个账户的邮件数上限，账户自有配额时以配额为准。",
      },
      reload: "live",
    }),
    connections: count({
      min: 16,
      max: 1_000_000,
      default: 20_000,
      help: {
        en: "Connections of all protocols together; the next one is told to come back later. A silent one costs about 20 KiB.",
        zh: "所有协议的连接总数上限，超出时提示对方稍后再试。一个空闲连接约占 20 KiB。",
      },
      reload: "restart",
    }),
    connections_per_network: count({
      min: 1,
      max: 1_000_000,
      default: 200,
      help: {
        en: "Connections of one address at a time (IPv6: of one /64), of all protocols. Enough for an office of some hundred people behind one address; more only hurts the others. Loopback is not counted, unless a proxy named the peer.",
        zh: "同一地址（IPv6 为同一 /64）的同时连接数上限，各协议合计。足够数百人的办公室共用一个地址，更多只会影响他人。本机回环地址不计，除非由代理指明对端。",
      },
      reload: "live",
    }),
    connection_rate_per_network: count({
      min: 1,
      max: 1_000_000,
      default: 1200,
      help: {
        en: "New connections of one address (IPv6: of one /64) in a minute, of all protocols. Twenty a second is more than any office or relay needs, and far below what a flood brings. Loopback is not counted, unless a proxy named the peer.",
        zh: "同一地址（IPv6 为同一 /64）每分钟的新连接数上限，各协议合计。每秒二十个已超过办公室或中继所需，又远低于洪泛攻击。本机回环地址不计，除非由代理指明对端。",
      },
      reload: "live",
    }),
    sessions_per_account: count({
      min: 1,
      max: 10_000,
      default: 20,
      help: {
        en: "Sessions that one account may have logged in at a time, of all protocols: some for each of its devices.",
        zh: "同一账户同时登录的会话数上限，各协议合计：其每台设备可有数个。",
      },
      reload: "live",
    }),
    tls_handshake_seconds: count({
      min: 5,
      max: 300,
      default: 30,
      help: {
        en: "How long a TLS handshake may take. It is a few round trips; what takes longer does not want to finish.",
        zh: "TLS 握手的最长时间（秒）。握手只需几次往返，更久的连接多半不会完成。",
      },
      reload: "restart",
    }),
    login_queue: count({
      min: 8,
      max: 65_536,
      default: 1024,
      help: {
        en: "Passwords waiting to be checked. One check takes some 15 ms of a CPU; above this a login is told to come back later.",
        zh: "等待校验的密码数上限。每次校验约占 CPU 15 毫秒，超出时提示稍后再登录。",
      },
      reload: "restart",
    }),
    pop3_idle_seconds: count({
      min: 600,
      max: 86_400,
      default: 600,
      help: {
        en: "Silence that ends a POP3 session. RFC 1939 §3 asks for ten minutes or more.",
        zh: "POP3 会话无活动多久后结束（秒）。RFC 1939 §3 要求不少于十分钟。",
      },
      reload: "live",
    }),
    pop3_write_stall_seconds: count({
      min: 10,
      max: 3600,
      default: 60,
      help: {
        en: "A POP3 client that takes no octet of an answer for this long is cut; nothing is deleted.",
        zh: "POP3 客户端多久不接收应答数据即断开（秒），不会删除任何邮件。",
      },
      reload: "live",
    }),
    pop3_takeover_seconds: count({
      min: 10,
      max: 3600,
      default: 60,
      help: {
        en: "A POP3 session from which nothing was heard, and which took nothing, for this long gives its maildrop to the same device when that comes back. Shorter than most clients wait before they try again.",
        zh: "POP3 会话多久没有任何收发（秒）后，同一设备重新登录即可接管其邮箱。短于多数客户端的重试间隔。",
      },
      reload: "live",
    }),
    pop3_login_delay_seconds: count({
      min: 0,
      max: 86_400,
      default: 0,
      help: {
        en: "Time between two POP3 logins of one account, unless its user has a figure of its own; announced as LOGIN-DELAY (RFC 2449 §6.5). A login costs little here, so it is only for clients that ask every second.",
        zh: "同一账户两次 POP3 登录的最短间隔（秒），用户自有设置时以其为准，通过 LOGIN-DELAY 公布（RFC 2449 §6.5）。登录开销很小，仅用于约束过于频繁的客户端。",
      },
      reload: "live",
    }),
    smtp_idle_seconds: count({
      min: 300,
      max: 86_400,
      default: 300,
      help: {
        en: "Silence that ends an SMTP or LMTP session. RFC 5321 §4.5.3.2.7 asks for five minutes or more.",
        zh: "SMTP 与 LMTP 会话无活动多久后结束（秒）。RFC 5321 §4.5.3.2.7 要求不少于五分钟。",
      },
      reload: "live",
    }),
    smtp_recipients: count({
      min: 100,
      max: 10_000,
      default: 1000,
      help: {
        en: "Recipients of one message; the sender is asked to send the rest again. RFC 5321 §4.5.3.1.8 asks for 100 at least.",
        zh: "一封邮件的收件人数上限，其余由发送方另行投递。RFC 5321 §4.5.3.1.8 要求至少 100。",
      },
      reload: "live",
    }),
    body_memory_octets: octets({
      min: 4 * MIB,
      max: 16 * GIB,
      default: "64 MiB",
      help: {
        en: "Memory for messages on their way in, in all sessions together. When it is used up senders are slowed, then told to come back later.",
        zh: "所有会话中正在接收的邮件共用的内存。用尽时先减缓发送方，再提示稍后重试。",
      },
      reload: "restart",
    }),
  },
);
