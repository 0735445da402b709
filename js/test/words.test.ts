// @vitest-environment jsdom
/** The tables, what the sources take from them, and the rule that fills them in. */

import { beforeAll, describe, expect, it, vi } from "vitest";
import { say, takeWords, told, type WordKey } from "../src/words";
import { SECTIONS, TABLES } from "./tables";
import { readText, readUsage, type Usage } from "./usage";

const FIELD = /\{(\w+)/g;
const fieldsIn = (text = "") => new Set([...text.matchAll(FIELD)].map(([, name]) => name));
const english = TABLES.en ?? {};

describe("a text", () => {
  it("has its fields filled in, and its plural where the language has one", () => {
    expect(say("channels", { count: 1, height: 2, width: 3 })).toBe("1 channel of 2 × 3");
    expect(say("channels", { count: 12, height: 2, width: 3 })).toBe("12 channels of 2 × 3");
    expect(say("parameters", { count: "1" })).toBe("1 parameter");
    takeWords(TABLES, "zh");
    expect(say("channels", { count: 1, height: 2, width: 3 })).toBe("1 个通道，每个 2 × 3");
  });

  it("of Python's is said in the reader's language, wherever it stands", () => {
    const notes = { notes: [{ en: "blank", zh: "空白" }, "conv1", null], count: 2 };
    expect(told(notes)).toEqual({ notes: ["blank", "conv1", null], count: 2 });
    takeWords(TABLES, "zh");
    expect(told(notes)).toEqual({ notes: ["空白", "conv1", null], count: 2 });
    expect(told({ en: "only" })).toBe("only");
  });

  it("whose name no table has is its name", () => {
    takeWords({}, "");
    expect(say("layer")).toBe("layer");
  });
});

describe("the language", () => {
  it.each([
    ["", ["zh-CN", "en"], "zh-Hans"],
    ["", ["zh-Hant-TW"], "zh-Hans"],
    ["", ["ZH"], "zh-Hans"],
    ["", ["de-AT", "zh", "en"], "zh-Hans"],
    ["", ["en-GB", "zh-CN"], "en"],
    ["", ["de", "fr"], "en"],
    ["", [], "en"],
    ["zh", ["en-US"], "zh-Hans"],
    ["en", ["zh-CN"], "en"],
  ])("set to %j in a browser of %j is %s", (forced, languages, expected) => {
    vi.stubGlobal("navigator", { languages });
    takeWords(TABLES, forced);
    expect(say("language_tag")).toBe(expected);
    vi.unstubAllGlobals();
  });
});

describe("the sources", () => {
  let usage: Usage;
  beforeAll(() => {
    usage = readUsage();
  }, 60_000);

  it("say what the tables have, with its fields and no others", () => {
    expect(usage.uses.length).toBeGreaterThan(100);
    for (const { place, keys, fields } of usage.uses) {
      expect(keys, place).not.toHaveLength(0);
      for (const key of keys) {
        expect(english, place).toHaveProperty([key]);
        for (const field of fieldsIn(english[key])) expect(fields, place).toContain(field);
      }
      const taken = new Set(keys.flatMap((key) => [...fieldsIn(english[key])]));
      for (const field of fields) expect([...taken], place).toContain(field);
    }
  });

  it("give fields names that the minifier leaves alone", () => {
    for (const { place, fields } of usage.uses) {
      for (const field of fields) expect(field, place).toMatch(/^[a-z_]+$/);
    }
  });

  it("have no words of their own", () => {
    expect(usage.literals).toEqual([]);
  });

  it.each([
    ["layer-browser", "layer_browser"],
    ["cam-slider", "cam_slider"],
    ["saliency-overlay", "saliency_overlay"],
    ["filter-grid", "filter_grid"],
    ["image-picker", "image_picker"],
  ])("of %s say nothing that its Python class does not send", (name, module) => {
    const python = readText(`../cnnviz_widgets/widgets/${module}.py`);
    const sent = /^ {4}WORDS: ClassVar = \(([^)]*)\)$/m.exec(python)?.[1] ?? "";
    const sections = ["shared", ...[...sent.matchAll(/"(\w+)"/g)].map(([, section]) => section)];
    const texts = new Set(
      sections.flatMap((section) => Object.keys(SECTIONS.en?.[`${section}`] ?? {})),
    );
    const files = usage.reached(`widgets/${name}.ts`);
    const said = usage.uses.filter(({ file }) => files.has(file)).flatMap(({ keys }) => keys);
    expect(said.length).toBeGreaterThan(20);
    expect(said.filter((key) => !texts.has(key))).toEqual([]);
  });

  it("leave no text of a view unsaid", () => {
    const said = new Set(usage.uses.flatMap(({ keys }) => keys));
    const python = ["document", "explore", "failures", "methods", "notes", "notices", "sketch_pad"];
    const views = Object.entries(SECTIONS.en ?? {}).filter(([name]) => !python.includes(name));
    const texts = views.flatMap(([, table]) => Object.keys(table));
    expect(texts.filter((key) => !said.has(key as WordKey))).toEqual([]);
  });
});
