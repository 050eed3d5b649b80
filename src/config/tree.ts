/**
 * A copy of a tree of maps and lists with the values at one place changed; `*` stands for each member of a list. What is
 * not there is passed over. `at` is given the place with the numbers of its lists.
 */
export function changeAt(
  tree: unknown,
  place: readonly string[],
  at: (value: unknown, path: readonly (string | number)[]) => unknown,
  path: readonly (string | number)[] = [],
): unknown {
  const [step, ...rest] = place;
  if (step === undefined) return at(tree, path);
  if (step === "*") {
    return Array.isArray(tree) ? tree.map((member, index) => changeAt(member, rest, at, [...path, index])) : tree;
  }
  if (typeof tree !== "object" || tree === null || Array.isArray(tree) || !Object.hasOwn(tree, step)) return tree;
  const member = (tree as Readonly<Record<string, unknown>>)[step];
  return { ...tree, [step]: changeAt(member, rest, at, [...path, step]) };
}

/** The value at a place of a tree of maps; undefined where a step of it is not there. */
export function valueAt(tree: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, step) => {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    return (value as Record<string | number, unknown>)[step];
  }, tree);
}
