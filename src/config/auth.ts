import * as z from "zod";
import { listOf, optionalMap } from "./group.ts";
import { choice, flag, optionalDomain, requiredFile, type Words } from "./option.ts";
import { always, section } from "./section.ts";
import { optionalText, optionalUrl, requiredSecret, requiredText, requiredUrl, shortText } from "./special.ts";

const introspection = optionalMap(
  {
    help: {
      en: "Asks the provider about each token (RFC 7662), for tokens that are no JWT or that may be revoked at any moment.",
      zh: "逐个向提供方查询令牌（RFC 7662），用于非 JWT 的令牌或可随时撤销的令牌。",
    },
    absent: { en: "none: tokens must be JWTs", zh: "无：令牌须为 JWT" },
    reload: "live",
  },
  {
    url: requiredUrl({
      help: { en: "Where the provider answers questions about tokens.", zh: "提供方的令牌查询地址。" },
      reload: "live",
      example: "https://login.example.com/introspect",
    }),
    client_id: requiredText({
      help: { en: "The name under which this server asks.", zh: "本服务器查询时使用的客户端标识。" },
      expects: { en: "a text", zh: "文本" },
      reload: "live",
      example: "mailkeep",
    }),
    client_secret: requiredSecret({
      help: {
        en: "The secret that goes with it; better kept in a file or the environment than here.",
        zh: "对应的密钥，建议存放在文件或环境变量中。",
      },
      reload: "live",
      example: "{ file: /run/secrets/mailkeep-oauth }",
    }),
  },
);

const provider = z.strictObject({
  issuer: requiredUrl({
    help: {
      en: "Who issues the tokens, exactly as their iss says it. Its keys are found by OpenID discovery below it.",
      zh: "令牌的签发者，须与令牌中的 iss 完全一致。密钥通过其 OpenID 发现地址获取。",
    },
    reload: "live",
    example: "https://login.example.com",
  }),
  audience: requiredText({
    help: {
      en: "For whom a token must have been made (aud), so that one for another service opens no mailbox here.",
      zh: "令牌的受众（aud）须为此值，其他服务的令牌不能用于登录本站。",
    },
    expects: { en: "a text", zh: "文本" },
    reload: "live",
    example: "mailkeep",
  }),
  username_claim: shortText({
    default: "email",
    help: {
      en: "The claim that names the account, by its address. The provider must see to it that nobody can choose another's; a token whose email_verified is false is refused.",
      zh: "令牌中表示账户地址的声明。提供方须确保无人能冒用他人地址；email_verified 为 false 的令牌会被拒绝。",
    },
    expects: { en: "the name of a claim, such as email", zh: "声明的名称，例如 email" },
    reload: "live",
  }),
  scope: optionalText({
    help: {
      en: "Scopes that a token must have, all of them; several have blanks between them.",
      zh: "令牌必须具有的全部权限范围（scope），多个以空格分隔。",
    },
    absent: { en: "none is asked for", zh: "不要求" },
    expects: { en: "a text such as mail", zh: "文本，例如 mail" },
    reload: "live",
    example: "mail",
  }),
  jwks_uri: optionalUrl({
    help: {
      en: "Where the issuer's keys are, for issuers without OpenID discovery.",
      zh: "签发者公钥的地址，用于不支持 OpenID 发现的签发者。",
    },
    absent: { en: "by discovery", zh: "通过发现获取" },
    reload: "live",
    example: "https://login.example.com/keys",
  }),
  introspection,
});

const oauth = listOf(
  {
    help: {
      en: "Providers whose tokens open mailboxes (OAUTHBEARER and XOAUTH2). Without any, neither is announced.",
      zh: "其令牌可用于登录的提供方（OAUTHBEARER 与 XOAUTH2）。未设置时不公布这两种机制。",
    },
    absent: { en: "none", zh: "无" },
    reload: "live",
  },
  provider,
).check(
  always<readonly { issuer?: unknown }[]>((value, context) => {
    const members = Array.isArray(value) ? (value as ({ issuer?: unknown } | undefined)[]) : [];
    members.forEach((member, index) => {
      const issuer = member?.issuer;
      const first = members.findIndex((other) => other?.issuer === issuer);
      if (typeof issuer !== "string" || first === index) return;
      const words: Words = {
        en: `${issuer} is already named by auth.oauth[${first}]`,
        zh: `auth.oauth[${first}] 已使用 ${issuer}`,
      };
      context.addIssue({ code: "custom", path: [index, "issuer"], input: issuer, params: { words } });
    });
  }),
);

const clientCertificates = optionalMap(
  {
    help: {
      en: "Clients may log in by a certificate of this authority (EXTERNAL). Without it none is asked for.",
      zh: "客户端可使用此机构签发的证书登录（EXTERNAL）。未设置时不要求客户端证书。",
    },
    absent: { en: "none", zh: "无" },
    reload: "live",
  },
  {
    authority: requiredFile({
      help: {
        en: "The authority's certificates, PEM. Use one of your own: whoever it vouches for may log in.",
        zh: "签发机构的证书，PEM 格式。请使用自有机构：凡其签发的证书均可登录。",
      },
      reload: "live",
      example: "/etc/mailkeep/clients.pem",
    }),
    username: choice({
      values: ["email", "common_name"],
      default: "email",
      help: {
        en: "What of the certificate names the account: an e-mail address of its subjectAltName, or its subject's common name.",
        zh: "证书中表示账户的字段：email 为 subjectAltName 中的邮箱地址，common_name 为主题的通用名称。",
      },
      reload: "live",
    }),
  },
);

/** Who may log in, and how. */
export const auth = section(
  { en: "Who may log in, and how.", zh: "登录方式与权限。" },
  {
    allow_cleartext: flag({
      default: false,
      help: {
        en: "Take passwords on connections without TLS. Loopback is no exception unless this is true.",
        zh: "是否允许在没有 TLS 的连接上登录。除非设为 true，本机回环地址也不例外。",
      },
      reload: "live",
    }),
    default_domain: optionalDomain({
      help: {
        en: "The domain of a login name without one.",
        zh: "登录名不含域名时使用的域名。",
      },
      absent: { en: "none: the only domain, where there is one", zh: "无：只有一个域名时使用该域名" },
      reload: "live",
      example: "example.com",
    }),
    require_app_password: flag({
      default: false,
      help: {
        en: "Fetch mail only with passwords made for one device (mailkeep app-password add), tokens or certificates; an account's main password then opens no maildrop.",
        zh: "只能使用应用专用密码（mailkeep app-password add）、令牌或证书收取邮件，账户主密码不能用于收信。",
      },
      reload: "live",
    }),
    scram: choice({
      values: ["auto", "on", "off"],
      default: "auto",
      help: {
        en: "Whether SCRAM-SHA-256 is announced. auto: while every enabled account has keys for it. A user whose password was imported as a hash gets them at the first login with PLAIN; until then, with 'on', a client that picks SCRAM cannot log in.",
        zh: "是否公布 SCRAM-SHA-256。auto：所有启用的账户都有其密钥时公布。以散列值导入的用户在首次使用 PLAIN 登录后才有密钥，在此之前设为 on 只会使其登录失败。",
      },
      reload: "live",
    }),
    scram_sha1: flag({
      default: false,
      help: {
        en: "Announce SCRAM-SHA-1 too, for clients that know no better.",
        zh: "是否同时公布 SCRAM-SHA-1，供只支持它的客户端使用。",
      },
      reload: "live",
    }),
    announce_channel_binding: flag({
      default: false,
      help: {
        en: "Announce the SCRAM mechanisms that are bound to their TLS connection (-PLUS) too; they are taken in any case. Mutt and NeoMutt pick them where they are announced and then do not get in.",
        zh: "是否同时公布与 TLS 连接绑定的 SCRAM 机制（-PLUS）；不公布时客户端仍可使用。公布后 Mutt 与 NeoMutt 会选用它们而无法登录。",
      },
      reload: "live",
    }),
    oauth,
    client_certificates: clientCertificates,
  },
);
