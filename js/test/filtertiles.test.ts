import { describe, expect, it } from "vitest";
import {
  bankTiles,
  FILTER_PALETTES,
  type FilterLook,
  inputName,
  kernelPowers,
  kernelsOf,
  kernelTiles,
} from "../src/filtertiles";
import { bankOf, filterEntry } from "./filtermodel";

const LOOK: FilterLook = {
  scale: "layer",
  sort: "index",
  bounds: { dead: 0.02, twin: 0.99 },
  tile: 64,
  ...FILTER_PALETTES,
};
const none = () => null;

describe("all filters", () => {
  it("say what stands for a filter", () => {
    const titles = [
      [{ form: "colour" }, "3 filters of 2 × 2 in colour"],
      [{ signed: true }, "3 kernels of 2 × 2"],
      [{ signed: false }, "3 filters of 2 kernels of 2 × 2: their norm at every place"],
      [{ form: "matrix" }, "A row for each of 3 filters, a column for each of 2 inputs"],
    ] as const;
    for (const [facts, title] of titles) {
      const bank = bankOf({ ...facts, norm: [1, 1, 1] });
      expect(bankTiles(bank, filterEntry("conv", 0), LOOK, none).title).toBe(title);
    }
  });

  it("count and mark what is dead or alike", () => {
    const likeness = {
      nearest: Uint32Array.from([1, 0, 0]),
      cosine: Float32Array.from([1, 1, 0.5]),
      order: Uint32Array.from([0, 1, 2]),
    };
    const bank = bankOf({ norm: [2, 1, 0], likeness });
    const tiles = bankTiles(bank, filterEntry("conv", 0), LOOK, none);
    expect([0, 1, 2].map(tiles.mark)).toEqual(["like 1", "like 0", "dead"]);
    expect(tiles.title).toContain("; 1 dead; 2 alike");
    expect(tiles.describe(1, -1)).toBe("filter 1: norm 1, like 0");
  });

  it("say when they cannot be put in the order that was chosen", () => {
    const tiles = bankTiles(
      bankOf({ norm: [1, 1, 1] }),
      filterEntry("conv", 0),
      { ...LOOK, sort: "similarity" },
      none,
    );
    expect(tiles.title).toContain("; by index, for they are not compared");
  });

  it("read the weight of a matrix under the pointer, or the range of those in one column", () => {
    const entry = filterEntry("fc", 0, { inputs: 5, kernel: [1, 1, 1], axes: 0 });
    const weights = Float32Array.from([0.5, -0.25, 1, 2, -3]);
    const facts = { form: "matrix", norm: [1, 1, 1] } as const;
    const plain = bankOf({ ...facts, sides: [1, 1, 5] });
    const read = (bank: typeof plain, share: number) =>
      bankTiles(bank, entry, LOOK, () => weights).describe(2, share);
    expect(read(plain, 0.25)).toBe("filter 2: norm 1; input 1: -0.25");
    expect(read(plain, -1)).toBe("filter 2: norm 1");
    const reduced = bankOf({ ...facts, sides: [1, 1, 3], factor: 2, signed: false });
    expect(read(reduced, 0)).toBe("filter 2: norm 1; inputs 0 to 1: -0.25 to 0.5");
    expect(read(reduced, 0.99)).toBe("filter 2: norm 1; inputs 4 to 4: -3 to -3");
    expect(bankTiles(plain, entry, LOOK, none).describe(2, 0.3)).toBe("filter 2: norm 1");
  });
});

describe("the kernels of a filter", () => {
  const values = Float32Array.from([1, 1, 0, 0, 0, 0, 2, -2]);

  it("are named by the input that their group reads", () => {
    const grouped = filterEntry("conv", 0, { filters: 4, groups: 2, inputs: 3 });
    expect([0, 1, 2, 3].map((filter) => inputName(grouped, filter, 1))).toEqual([
      "input 1",
      "input 1",
      "input 4",
      "input 4",
    ]);
    const colour = filterEntry("conv", 0, { colour: true, inputs: 3 });
    expect(inputName(colour, 0, 2)).toBe("blue");
  });

  it("stand by index, or the strongest first", () => {
    expect([...kernelPowers(values, 2)]).toEqual([2, 8]);
    const bank = bankOf({ norm: [1, 1, 1], minimum: [-2, 0, 0], maximum: [2, 0, 0] });
    const entry = filterEntry("conv", 0);
    expect([...kernelTiles(values, 0, bank, entry, LOOK).order]).toEqual([0, 1]);
    const sorted = kernelTiles(values, 0, bank, entry, { ...LOOK, sort: "norm" });
    expect([...sorted.order]).toEqual([1, 0]);
    expect(sorted.title).toBe(
      "2 kernels of 2 × 2, one for each input; from -2 to 2, 0 in the middle",
    );
    expect(sorted.describe(1, -1)).toBe("input 1: -2 to 2");
  });

  it("of a dense layer lie as they did before they were flattened", () => {
    const entry = filterEntry("fc", 0, { inputs: 8, kernel: [1, 1, 1], axes: 0, fold: [2, 2, 2] });
    expect(kernelsOf(entry)).toEqual({ count: 2, kernel: [1, 2, 2] });
    const tiles = kernelTiles(values, 0, bankOf({ norm: [1, 1, 1] }), entry, LOOK);
    expect(tiles.title).toContain("2 channels of 2 × 2, as before they were flattened");
  });
});
