import { writeFileSync } from "node:fs";
import type { PartOptions } from "../reliability/parts.ts";
import { run } from "./full.ts";

// The full disk in a namespace of its own (full.ts): gives its figures by a file.
const [, , file = "", options = "{}"] = process.argv;
writeFileSync(file, JSON.stringify(await run(JSON.parse(options) as PartOptions)));
