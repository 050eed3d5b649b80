import * as z from "zod";
import { option, type Given, type Words } from "./option.ts";

/** How many members a list of maps may have: each is asked at every login that it may concern. */
const MOST_MEMBERS = 16;

/** A list of maps inside a section; without it the list is empty. */
export function listOf<Member extends z.ZodType>(given: Given, member: Member) {
  const type = z.array(member).max(MOST_MEMBERS).prefault([]);
  const expects: Words = {
    en: `a list of ${MOST_MEMBERS} at most, each with the keys below`,
    zh: `列表，最多 ${MOST_MEMBERS} 项，每项的配置项如下`,
  };
  return option(type, given, expects, { group: "list" });
}

/** A map of keys inside a section or a list, which may be left out as a whole. */
export function optionalMap<Shape extends z.core.$ZodLooseShape>(given: Given, shape: Shape) {
  const expects: Words = { en: "a map of the keys below", zh: "键值映射，配置项如下" };
  return option(z.strictObject(shape).optional(), given, expects, { group: "map" });
}
