import type { Language } from "../config/language.ts";

const FILES: Readonly<Record<string, string>> = { certificate: "证书", key: "私钥", authority: "签发机构证书" };

// The sentences of tls/certificates.ts, behind the kind of file and its name.
const SENTENCES: readonly (readonly [RegExp, string])[] = [
  [/^no certificate in PEM form in it .*$/, "其中没有 PEM 格式的证书（以 -----BEGIN CERTIFICATE----- 开头的文本）"],
  [/^no private key in PEM form in it .*$/, "其中没有 PEM 格式的私钥（以 -----BEGIN PRIVATE KEY----- 开头的文本）"],
  [/^(\d+) octets long, .*$/, "有 $1 字节，证书或私钥不会这样大"],
  [/^cannot be read: there is no such file$/, "无法读取：文件不存在"],
  [/^cannot be read: permission denied; .*$/, "无法读取：权限不足，运行 mailkeep 的用户须能读取"],
  [/^cannot be read: (.*)$/, "无法读取：$1"],
  [/^it has a passphrase; write it without one: (.*)$/, "有密码保护，请另存为无密码的文件：$1"],
  [/^the server's own certificate must come first.*$/, "服务器自身的证书须放在最前，其后才是签发机构的证书"],
  [/^it does not belong to the certificate (.*); give .*$/, "与证书 $1 不匹配，请使用一同签发的一对"],
  [/^expired on (.*); clients will refuse it$/, "已于 $1 到期，客户端会拒绝"],
  [/^not valid before (.*); is .*$/, "$1 之前无效，本机时钟是否正确？"],
  [/^refused: (.*)$/s, "OpenSSL 拒绝使用：$1"],
];

/** What is wrong with a certificate, in the language of whoever asks; a sentence that is not known here stays English. */
export function certificateWords(problem: string, language: Language): string {
  const [, kind = "", rest = ""] = /^(certificate|key|authority) (.*)$/s.exec(problem) ?? [];
  if (language === "en" || kind === "") return problem;
  // A file's name may hold ": " too: the first place from which on a sentence is known is its end.
  for (let colon = rest.indexOf(": "); colon >= 0; colon = rest.indexOf(": ", colon + 1)) {
    const sentence = rest.slice(colon + 2);
    const known = SENTENCES.find(([pattern]) => pattern.test(sentence));
    if (known !== undefined) return `${FILES[kind]} ${rest.slice(0, colon)}：${sentence.replace(known[0], known[1])}`;
  }
  return problem;
}
