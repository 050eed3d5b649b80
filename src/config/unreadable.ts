import type { Words } from "./option.ts";

/** Why a file that the operator named could not be read; `absent`: there is none. */
export type Unreadable = { readonly absent: boolean; readonly reason: Words };

/** Says in words what the system, or the decoding of UTF-8, had against a file. */
export function whyUnreadable(cause: unknown): Unreadable {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  const known: Readonly<Record<string, Words>> = {
    ENOENT: { en: "there is no such file", zh: "文件不存在" },
    ENOTDIR: { en: "there is no such file", zh: "文件不存在" },
    EACCES: { en: "this user may not read it", zh: "当前用户无权读取" },
    EISDIR: { en: "it is a folder", zh: "这是一个文件夹" },
    ERR_ENCODING_INVALID_ENCODED_DATA: { en: "it is not UTF-8", zh: "不是 UTF-8 编码" },
  };
  const message = cause instanceof Error ? cause.message : String(cause);
  return { absent: code === "ENOENT" || code === "ENOTDIR", reason: known[code] ?? { en: message, zh: message } };
}
