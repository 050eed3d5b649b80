import { SECRET_KEY_FILE, type SecretKeyProblem } from "../auth/secret-key.ts";
import type { Language } from "../config/language.ts";
import type { OpenRefusal } from "../store/open-refusal.ts";
import type { LockRefusal } from "../store/lock.ts";

type Sentences<K extends string> = Readonly<Record<Language, Readonly<Record<K, string>>>>;

/** Why the data folder's lock was not had, as a sentence that says what to do. */
export function lockSentence(refusal: LockRefusal, folder: string, language: Language): string {
  const sentences: Sentences<LockRefusal> = {
    en: {
      held: `another Mailkeep runs on the data folder ${folder}. Stop it first, or set server.data_directory to another folder.`,
      missing: `the data folder ${folder} cannot be made: the folder above it is not there.`,
      "not-a-folder": `${folder} is not a folder. Set server.data_directory to one.`,
      "read-only": `the data folder ${folder} is read-only. Make it writable for the user that runs mailkeep, or set server.data_directory to another folder.`,
      full: `there is no room left on the disk of the data folder ${folder}.`,
      failed: `the data folder ${folder} cannot be used: the disk reported an error.`,
    },
    zh: {
      held: `另一个 Mailkeep 正在使用数据文件夹 ${folder}。请先停止它，或将 server.data_directory 设为其他文件夹。`,
      missing: `无法创建数据文件夹 ${folder}：上级文件夹不存在。`,
      "not-a-folder": `${folder} 不是文件夹，请将 server.data_directory 设为文件夹。`,
      "read-only": `数据文件夹 ${folder} 只读。请让运行 mailkeep 的用户可以写入，或将 server.data_directory 设为其他文件夹。`,
      full: `数据文件夹 ${folder} 所在磁盘已满。`,
      failed: `无法使用数据文件夹 ${folder}：磁盘报告错误。`,
    },
  };
  return sentences[language][refusal];
}

/** Why the store was not opened, as a sentence that says what to do. */
export function openSentence({ kind, reason }: OpenRefusal, folder: string, language: Language): string {
  const next: Sentences<OpenRefusal["kind"]> = {
    en: {
      newer: "Start the version of Mailkeep that made it, or a later one.",
      damaged: "Nothing was changed. Restore the folder from a backup, or ask for help before you touch it.",
      full: "Make room on the disk and start again.",
      failed: "See to the disk and start again.",
    },
    zh: {
      newer: "请使用创建它的 Mailkeep 版本或更新的版本。",
      damaged: "未做任何更改。请从备份恢复该文件夹，或在改动之前寻求帮助。",
      full: "请清理磁盘空间后重新启动。",
      failed: "请检查磁盘后重新启动。",
    },
  };
  const why = reason.replace(/\.$/, "");
  return language === "zh"
    ? `无法打开 ${folder} 中的存储：${why}。${next.zh[kind]}`
    : `the store in ${folder} cannot be opened: ${why}. ${next.en[kind]}`;
}

/** Why the key of sealed credentials was not had, as a sentence that says what to do. */
export function secretKeySentence({ kind, reason }: SecretKeyProblem, folder: string, language: Language): string {
  const next: Sentences<SecretKeyProblem["kind"]> = {
    en: {
      unreadable: "Let the user that runs mailkeep read it.",
      "wrong-size":
        "Without the right one no app password and no SCRAM login works; when it is lost, move this file away, and the next start makes a new one.",
      "not-written": "Make the folder writable and the disk free, and start again.",
    },
    zh: {
      unreadable: "请让运行 mailkeep 的用户可以读取该文件。",
      "wrong-size":
        "没有原来的密钥，应用密码与 SCRAM 登录都无法使用。若密钥已丢失，请移走此文件，下次启动时会生成新的。",
      "not-written": "请确认文件夹可写且磁盘有空间，然后重新启动。",
    },
  };
  return language === "zh"
    ? `无法使用 ${folder} 中的 ${SECRET_KEY_FILE}。${next.zh[kind]}`
    : `${reason.replace(/\.$/, "")}. ${next.en[kind]}`;
}

/** Why a listener has no address, as a sentence. */
export function listenSentence(protocol: string, address: string, why: string, language: Language): string {
  return language === "zh"
    ? `${protocol} 无法监听 ${address}：${why}`
    : `${protocol} cannot listen on ${address}: ${why}`;
}
