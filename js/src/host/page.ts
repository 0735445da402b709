/** What a page holds: its text, unpacked. The other half is cnnviz_widgets/export/payload.py. */

import type { Answers, BakedTraits } from "../baked";
import type { WordTables } from "../words";
import { type Expansion, type Memory, openMemory } from "./expand";

export interface PageWidget {
  /** Which of the page's modules draws it. */
  readonly module: number;
  readonly state: BakedTraits;
  readonly answers: Answers;
  /** Controls that do nothing without a kernel, by their `data-cnnviz-control`. */
  readonly disabled: readonly string[];
}

export interface Page {
  /** ES modules, as text. */
  readonly modules: readonly string[];
  /** Style sheets, as text. */
  readonly styles: readonly string[];
  readonly words: WordTables;
  /** The language that the page is made for; "" is that of the browser. */
  readonly language: string;
  readonly widgets: Readonly<Record<string, PageWidget>>;
  readonly memory: Expansion;
}

/** Bytes from text of 85 letters: five of them are four bytes, as in RFC 1924 with "," for "<". */
export function fromText(text: string): Uint8Array<ArrayBuffer> {
  const letters =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~";
  const values = new Uint8Array(128);
  for (let i = 0; i < letters.length; i++) values[letters.charCodeAt(i)] = i;
  const bytes = new Uint8Array(4 * Math.ceil(text.length / 5));
  const view = new DataView(bytes.buffer);
  for (let at = 0, group = 0; at < text.length; at += 5, group += 4) {
    let value = 0;
    for (let i = 0; i < 5; i++) {
      const letter = at + i < text.length ? (values[text.charCodeAt(at + i)] ?? 0) : 84;
      value = value * 85 + letter;
    }
    view.setUint32(group, value);
  }
  return bytes.slice(0, Math.floor((text.length * 4) / 5));
}

/** Unpacks what the page holds: the JSON, and the memory that its answers refer to. */
export async function readPage(text: string): Promise<[Page, Memory]> {
  const stream = new Blob([fromText(text)]).stream();
  const unpacked = stream.pipeThrough(new DecompressionStream("gzip"));
  const whole = await new Response(unpacked).arrayBuffer();
  const end = whole.byteLength - 4;
  const start = new DataView(whole).getUint32(end, true);
  const page: Page = JSON.parse(new TextDecoder().decode(whole.slice(start, end)));
  return [page, openMemory(new Uint8Array(whole, 0, start), page.memory)];
}
