/**
 * What the interface says, in the reader's language. The words are in cnnviz_widgets/words/, one
 * table per language; a widget brings those that it needs as a trait, and no bundle holds any.
 */

import type sections from "../../cnnviz_widgets/words/en.json";

type Sections = typeof sections;

/** Sections whose texts Python says. */
type Theirs = "document" | "explore" | "failures" | "methods" | "notes" | "notices" | "sketch_pad";
type Ours = Exclude<keyof Sections, Theirs>;

/** Names of the texts that views say. */
export type WordKey = { [S in Ours]: keyof Sections[S] & string }[Ours];

/** The rest of all names that begin so: "index" of "sort_index". */
export type After<Start extends string> = WordKey extends infer K
  ? K extends `${Start}${infer Rest}`
    ? Rest
    : never
  : never;

/** Texts by name, for each language. */
export type WordTables = Readonly<Record<string, Readonly<Record<string, string>>>>;

// One for the module, which hosts load for each widget anew; all views of a kernel speak alike.
let language = "en";
let table: Readonly<Record<string, string>> = {};

/**
 * Takes the words of a widget.
 *
 * @param forced the language that Python has set, or "" for the first that the browser prefers
 */
export function takeWords(tables: WordTables, forced: string): void {
  const wanted = [forced, ...navigator.languages].map((tag) => tag.toLowerCase().split("-")[0]);
  language = wanted.find((tag) => tag && tag in tables) ?? "en";
  table = tables[language] ?? {};
}

/**
 * A text with its fields filled in: `{name}`, or `{count|one|several}`, which is "one" for 1. The
 * same rule is in cnnviz_widgets/words/phrase.py.
 */
export function say(key: WordKey, fields: Readonly<Record<string, string | number>> = {}): string {
  return (table[key] ?? key).replace(
    /\{(\w+)(?:\|([^{}|]*)\|([^{}|]*))?\}/g,
    (_, name: string, one?: string, several?: string) => {
      const value = `${fields[name]}`;
      return one === undefined ? value : ((value === "1" ? one : several) ?? "");
    },
  );
}

/** What Python has told, with every text in it that is in all languages in the reader's alone. */
export function told<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(told) as T;
  if ("en" in value) return ((value as Record<string, unknown>)[language] ?? value.en) as T;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, told(of)])) as T;
}
