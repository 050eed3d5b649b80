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

/** Why a listener has no address, as a sentence. */
export function listenSentence(protocol: string, address: string, why: string, language: Language): string {
  return language === "zh"
    ? `${protocol} 无法监听 ${address}：${why}`
    : `${protocol} cannot listen on ${address}: ${why}`;
}
