/** The tables of words, as Python sends them to a widget. */

import en from "../../cnnviz_widgets/words/en.json";
import zh from "../../cnnviz_widgets/words/zh.json";
import type { WordTables } from "../src/words";

type Sections = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Sections of each language. */
export const SECTIONS: Readonly<Record<string, Sections>> = { en, zh };

/** Every text of every language. */
export const TABLES: WordTables = Object.fromEntries(
  Object.entries(SECTIONS).map(([language, sections]) => [
    language,
    Object.assign({}, ...Object.values(sections)),
  ]),
);

/** The traits of a widget that is spoken to in English. */
export const SPOKEN = { _words: TABLES, _language: "en" };
