import type { ErrorCode } from "yaml";
import type { Words } from "./option.ts";

const zh: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: "别名不能带锚点或标签",
  BAD_ALIAS: "别名无效",
  BAD_COLLECTION_TYPE: "标签与内容的类型不符",
  BAD_DIRECTIVE: "指令（% 开头的行）无效",
  BAD_DQ_ESCAPE: "双引号内的转义无效（反斜杠须写作 \\\\）",
  BAD_INDENT: "缩进有误",
  BAD_PROP_ORDER: "锚点与标签须写在值之前",
  BAD_SCALAR_START: "值不能以此字符开头，请加引号",
  BLOCK_AS_IMPLICIT_KEY: "此处不能嵌套键值，是否少了换行或引号？",
  BLOCK_IN_FLOW: "{} 或 [] 之内不能使用按缩进书写的内容",
  DUPLICATE_KEY: "此键重复出现",
  IMPOSSIBLE: "无法解析",
  KEY_OVER_1024_CHARS: "键名过长，是否缺少引号的结尾？",
  MISSING_CHAR: "缺少字符，例如冒号、引号、逗号或右括号",
  MULTILINE_IMPLICIT_KEY: "键名不能跨行，是否缺少冒号？",
  MULTIPLE_ANCHORS: "一个值不能有多个锚点",
  MULTIPLE_DOCS: "此处开始第二个文档（---），只能有一个",
  MULTIPLE_TAGS: "一个值不能有多个标签",
  NON_STRING_KEY: "键名须为文本",
  RESOURCE_EXHAUSTION: "嵌套过深或过大",
  TAB_AS_INDENT: "缩进不能使用制表符，请用空格",
  TAG_RESOLVE_FAILED: "不认识此标签（! 开头）",
  UNEXPECTED_TOKEN: "此处不应有此内容",
};

/** What is wrong with a text as YAML: in English by the parser's own words, in Chinese by what kind of mistake it is. */
export function yamlWords(code: ErrorCode, message: string): Words {
  if (code === "MULTIPLE_DOCS") {
    return { en: "a second document begins here (---); only one is taken", zh: zh[code] };
  }
  return { en: `not right as YAML: ${message}`, zh: `YAML 语法错误：${zh[code]}` };
}
