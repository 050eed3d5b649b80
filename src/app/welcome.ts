import type { Secret } from "../lib/secret.ts";

/** What the banner of a server without a configuration names. */
export type Proof = {
  /** undefined: the demo user was made on an earlier run. */
  readonly password: Secret | undefined;
  readonly user: string;
  readonly smtpPort: number;
  readonly pop3sPort: number;
  /** The self-signed certificate, as typed from the current folder. */
  readonly certificate: string;
  readonly chinese: boolean;
};

/** The text that `npm start` prints once everything listens: the demo user and two commands that prove it works. */
export function banner(proof: Proof): string {
  const { chinese, user } = proof;
  const password = proof.password?.reveal();
  const send =
    `curl smtp://127.0.0.1:${proof.smtpPort} --mail-from you@example.org --mail-rcpt ${user}` +
    ` --header "From: you@example.org" --header "To: ${user}" --header "Subject: Hello" --form "=It works."`;
  const fetch =
    `curl pop3s://localhost:${proof.pop3sPort}/2 --cacert ${shellWord(proof.certificate)}` +
    ` --user ${user}:${password ?? "PASSWORD"}`;
  const who =
    password === undefined
      ? chinese
        ? `${user} 的密码已在首次启动时显示。重新设置：bin/mailkeep user password ${user}`
        : `The password of ${user} was shown on the first run. To set another: bin/mailkeep user password ${user}`
      : `${user}  password: ${password}`;
  const words = chinese
    ? ["Mailkeep 已就绪。", "发送一封邮件，然后取回：", "使用自己的域名：见 README.zh-CN.md。按 Ctrl+C 停止。"]
    : ["Mailkeep is ready.", "Send a mail, then fetch it:", "For a domain of your own see README.md. Ctrl+C stops."];
  return ["", words[0], "", `  ${who}`, "", words[1], "", `  ${send}`, `  ${fetch}`, "", words[2], "", ""].join("\n");
}

function shellWord(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The first message in the demo user's maildrop. */
export function welcomeMessage(now: number): string {
  const date = new Date(now).toUTCString().replace("GMT", "+0000");
  const lines = [
    "From: Mailkeep <postmaster@example.test>",
    "To: demo@example.test",
    `Date: ${date}`,
    "Subject: =?utf-8?q?Welcome_to_Mailkeep_=E6=AC=A2=E8=BF=8E?=",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "",
    "This maildrop works: you fetched this message from it by POP3.",
    "Nothing that Mailkeep acknowledged is ever lost, and nothing is deleted before you say QUIT.",
    "",
    "这个邮箱已可使用：您刚刚通过 POP3 取回了这封邮件。",
    "Mailkeep 确认收下的邮件不会丢失；在您发送 QUIT 之前，不会删除任何邮件。",
    "",
  ];
  return lines.join("\r\n");
}
