import * as z from "zod";
import { formatListenAddress, type ListenAddress } from "./listen-address.ts";
import { listenAddresses, optionalChoice, requiredChoice, type Words } from "./option.ts";
import { always, sectionHelp } from "./section.ts";
import { networks } from "./special.ts";

/** What a listener speaks. */
export type ListenerProtocol = "pop3" | "smtp" | "submission" | "lmtp" | "http";
/** How a listener comes to TLS: from the first octet, by a command, or not at all. */
export type ListenerTls = "implicit" | "starttls" | "none";

const TLS = ["implicit", "starttls", "none"] as const;

// The first is the default. LMTP's callers sit on the same machine or network and none of them knows implicit TLS;
// health and metrics are plain HTTP.
const TLS_OF: Readonly<Record<ListenerProtocol, readonly [ListenerTls, ...ListenerTls[]]>> = {
  pop3: ["starttls", "implicit", "none"],
  smtp: ["starttls", "none"],
  submission: ["starttls", "implicit", "none"],
  lmtp: ["none", "starttls"],
  http: ["none"],
};

type ProxiedListener = {
  protocol?: ListenerProtocol;
  address?: readonly ListenAddress[];
  proxy_protocol_from?: readonly unknown[];
};

const listener = z
  .strictObject({
    protocol: requiredChoice({
      values: ["pop3", "smtp", "submission", "lmtp", "http"],
      help: {
        en: "What is spoken: pop3 to fetch mail, smtp for mail from other servers, submission for mail from our users, lmtp for mail from a local mail server, http for health and metrics.",
        zh: "协议：pop3 收取邮件，smtp 接收其他服务器的邮件，submission 接收本站用户的邮件，lmtp 接收本地邮件服务器的邮件，http 提供健康检查与指标。",
      },
      reload: "restart",
      example: "pop3",
    }),
    address: listenAddresses({
      help: {
        en: "Where to listen: host:port, [IPv6]:port or unix:/path, one or a list. [::] is IPv6 only.",
        zh: "监听地址：主机:端口、[IPv6]:端口 或 unix:/路径，可为一个或列表。[::] 仅指 IPv6。",
      },
      reload: "restart",
      example: '["0.0.0.0:110", "[::]:110"]',
    }),
    tls: optionalChoice({
      values: TLS,
      help: {
        en: "implicit: TLS from the first octet (POP3S); starttls: when the client asks (STLS, STARTTLS); none.",
        zh: "implicit：从一开始即为 TLS（POP3S）；starttls：由客户端发起（STLS、STARTTLS）；none：不使用。",
      },
      absent: {
        en: "starttls for pop3, smtp and submission; none for lmtp and http",
        zh: "pop3、smtp、submission 为 starttls；lmtp、http 为 none",
      },
      reload: "restart",
      example: "starttls",
    }),
    proxy_protocol_from: networks({
      help: {
        en: "Networks of proxies. From them a PROXY header (v1 or v2) is required, and whom it names is believed; connections from elsewhere are closed.",
        zh: "代理所在的网段。来自这些网段的连接必须带有 PROXY 头（v1 或 v2），并采信其指明的对端；来自其他地址的连接一律关闭。",
      },
      absent: { en: "none", zh: "无" },
      reload: "restart",
      example: "[10.0.0.0/8]",
    }),
  })
  .check(
    always<{ protocol?: ListenerProtocol; tls?: ListenerTls | undefined }>((value, context) => {
      const { protocol, tls } = value;
      const right = protocol === undefined ? undefined : TLS_OF[protocol];
      if (right === undefined || tls === undefined || right.includes(tls) || !TLS.includes(tls)) return;
      const words: Words = {
        en: `${protocol} cannot have tls: ${tls}, only ${right.join(" or ")}`,
        zh: `${protocol} 不能使用 tls: ${tls}，只能是 ${right.join(" 或 ")}`,
      };
      context.addIssue({ code: "custom", path: ["tls"], input: tls, params: { words } });
    }),
  )
  .check(
    always<ProxiedListener>((value, context) => {
      const { protocol, address, proxy_protocol_from: proxies } = value;
      if (!Array.isArray(proxies) || proxies.length === 0) return;
      const unix = addressesOf({ ...(Array.isArray(address) && { address }) }).some(({ kind }) => kind === "unix");
      if (protocol !== "http" && !unix) return;
      const words: Words = {
        en: `a listener of ${unix ? "a unix socket" : "http"} cannot have proxy_protocol_from`,
        zh: `${unix ? "unix 套接字" : "http"} 监听器不能使用 proxy_protocol_from`,
      };
      context.addIssue({ code: "custom", path: ["proxy_protocol_from"], input: proxies, params: { words } });
    }),
  )
  .transform((given) => ({ ...given, tls: given.tls ?? TLS_OF[given.protocol][0] }));

const EMBEDDED: readonly z.input<typeof listener>[] = [
  { protocol: "pop3", address: "127.0.0.1:1110", tls: "starttls" },
  { protocol: "pop3", address: "127.0.0.1:1995", tls: "implicit" },
  { protocol: "smtp", address: "127.0.0.1:1025", tls: "starttls" },
  { protocol: "submission", address: "127.0.0.1:1587", tls: "starttls" },
  { protocol: "lmtp", address: "127.0.0.1:1024", tls: "none" },
  { protocol: "http", address: "127.0.0.1:8080", tls: "none" },
];

/** Where the server listens and what it speaks there. Without any: the embedded ones, on loopback only. */
export const listeners = z
  .array(listener)
  .min(1)
  .max(64)
  .check(
    always<{ address?: readonly ListenAddress[] }[]>((value, context) => {
      const seen = new Map<string, number>();
      value.forEach((one, index) => {
        for (const text of addressesOf(one).filter(isFixed).map(formatListenAddress)) {
          const first = seen.get(text);
          if (first === undefined) seen.set(text, index);
          else context.addIssue(taken(text, first, index));
        }
      });
    }),
  )
  .prefault([...EMBEDDED])
  .register(sectionHelp, {
    help: {
      en: "Where the server listens and what it speaks there. Without any it listens on loopback only, on ports that need no privilege.",
      zh: "监听地址与协议。未设置时仅监听本机回环地址，使用无需特权的端口。",
    },
  });

// A listener that is wrong in itself may hold anything here.
function addressesOf(one: { readonly address?: readonly ListenAddress[] } | undefined): readonly ListenAddress[] {
  const given = Array.isArray(one?.address) ? (one.address as readonly ListenAddress[]) : [];
  return given.filter((address) => typeof address === "object");
}

// Port 0 is another free port each time.
function isFixed(address: ListenAddress): boolean {
  return address.kind === "unix" || address.port !== 0;
}

function taken(text: string, first: number, index: number) {
  const words: Words = {
    en: `${text} is already taken by listeners[${first}]`,
    zh: `${text} 已被 listeners[${first}] 占用`,
  };
  return { code: "custom" as const, path: [index, "address"], input: text, params: { words } };
}
