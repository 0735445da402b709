/** Filters, and the kernels of one filter, as the tiles of a grid. */

import { coolwarm, gray, viridis } from "../../cnnviz_widgets/rendering/colormaps.json";
import { makePalette, type Palette } from "./colormap";
import { bankInk, kernelPlate, paintPlates, paintRows, weightColour } from "./filterpaint";
import {
  type Bank,
  type Bounds,
  deadNorm,
  type FilterEntry,
  type FilterScale,
  type FilterSort,
  filterOrder,
  orderBy,
  twinOf,
  weightEnd,
} from "./filters";
import { formatExact, formatNumber } from "./format";
import type { Tiles } from "./gridview";
import { extentOf } from "./histogram";
import { say } from "./words";

/** How filters are drawn. */
export interface FilterLook {
  readonly scale: FilterScale;
  readonly sort: FilterSort;
  readonly bounds: Bounds;
  /** Device pixels of a tile. */
  readonly tile: number;
  readonly signed: Palette;
  readonly norms: Palette;
  readonly grey: Palette;
}

/** The colours of weights, of numbers without a sign, and the brightness of a single colour. */
export const FILTER_PALETTES = {
  signed: makePalette(coolwarm),
  norms: makePalette(viridis),
  grey: makePalette(gray),
};

/** What the colours of a bank are of. */
export function subjectOf({ form, signed }: Bank): "colour" | "kernel" | "norm" | "matrix" {
  if (form === "colour") return form;
  if (form === "matrix" && !signed) return form;
  return signed ? "kernel" : "norm";
}

/** The colours of a bank. */
export const coloursOf = ({ form, signed }: Bank, look: FilterLook): Palette =>
  form === "colour" ? look.grey : signed ? look.signed : look.norms;

const sizeText = (sizes: readonly number[]) => sizes.join(" × ") || "1";

/** The size of a kernel as far as it has axes. */
export const kernelSize = ({ kernel, axes }: FilterEntry): string =>
  sizeText(kernel.slice(3 - axes));

/** All filters of a layer as tiles. @param weightsOf the weights of a filter, once they are here */
export function bankTiles(
  bank: Bank,
  entry: FilterEntry,
  look: FilterLook,
  weightsOf: (filter: number) => Float32Array | null,
): Tiles {
  const { form, sides, factor, filters, norm } = bank;
  const isMatrix = form === "matrix";
  const [planes = 1, height = 1, columns = 1] = sides;
  const order = filterOrder(bank, look.sort);
  const ink = bankInk(bank, look.scale, coloursOf(bank, look));
  const plate = kernelPlate(
    [form === "colour" ? 1 : planes, height, columns],
    factor > 1 ? [] : entry.dilation,
    look.tile,
  );
  const least = deadNorm(bank, look.bounds);
  const marks = Array.from(norm, (length, filter) => {
    const twin = twinOf(bank, filter, look.bounds);
    return length <= least ? say("dead") : twin < 0 ? "" : say("twin", { other: twin });
  });
  const dead = marks.filter((mark) => mark === say("dead")).length;
  const alike = marks.filter((mark) => mark).length - dead;
  const counted = { count: filters, sizes: kernelSize(entry), inputs: entry.inputs };

  /** The inputs that stand at a place of a row, and their weights as far as they are here. */
  const readRow = (filter: number, share: number): string => {
    const first = Math.floor(share * columns) * factor;
    const weights = weightsOf(filter)?.subarray(first, first + factor);
    if (!weights?.length) return "";
    const [only = 0] = weights;
    const { low, high } = extentOf(weights) ?? { low: only, high: only };
    return factor === 1
      ? say("labelled", { label: say("input", { input: first }), text: formatExact(only) })
      : say("range", {
          name: say("inputs", { first, last: first + weights.length - 1 }),
          low: formatExact(low),
          high: formatExact(high),
        });
  };

  return {
    order,
    cover: `${form} ${plate.height} ${plate.width} ${factor} ${entry.dilation}`,
    title:
      say(`title_${isMatrix ? form : subjectOf(bank)}`, counted) +
      (factor > 1 ? say("filters_reduced", { factor }) : "") +
      (dead ? say("dead_count", { count: dead }) : "") +
      (alike ? say("twin_count", { count: alike }) : "") +
      (look.sort === "similarity" && !bank.likeness ? say("by_index") : ""),
    paint: (view, grid, scroll) =>
      isMatrix
        ? paintRows(view, grid, order, scroll, columns, ink)
        : paintPlates(view, grid, order, scroll, plate, ink),
    describe(filter, share) {
      const mark = marks[filter] ?? "";
      const fields = { filter, norm: formatNumber(norm[filter] ?? 0), mark };
      const all = say(mark ? "filter_cell_marked" : "filter_cell", fields);
      const weight = isMatrix && share >= 0 ? readRow(filter, share) : "";
      return weight ? `${all}; ${weight}` : all;
    },
    mark: (filter) => marks[filter] ?? "",
  };
}

/** The kernels of one filter: their number, and depth, height and width of one. */
export interface Kernels {
  readonly count: number;
  readonly kernel: readonly number[];
}

/** How the kernels of a filter lie: those of a dense layer as they were flattened. */
export function kernelsOf({ fold, inputs, kernel }: FilterEntry): Kernels {
  if (!fold) return { count: inputs, kernel };
  const [count = 1, ...sides] = fold;
  return { count, kernel: [1, ...sides] };
}

/** The sum of squares of each of so many kernels. */
export function kernelPowers(values: Float32Array, count: number): Float64Array {
  const powers = new Float64Array(count);
  values.forEach((value, i) => {
    const at = Math.floor((i * count) / values.length);
    powers[at] = (powers[at] ?? 0) + value * value;
  });
  return powers;
}

export const COLOURS = ["red", "green", "blue"] as const;

/** The colour that an input of the first layer is; "" where there is none. */
function colourName(input: number): string {
  const name = COLOURS[input];
  return name ? say(`colour_${name}`) : "";
}

/** What an input of a filter is called: by colour, or as the layer before counts its channels. */
export function inputName(entry: FilterEntry, filter: number, input: number): string {
  const { colour, filters, groups, inputs } = entry;
  const first = Math.floor(filter / (filters / groups)) * inputs;
  return colourName(colour ? input : -1) || say("input", { input: first + input });
}

/** The kernels of one filter as tiles, one for each input. */
export function kernelTiles(
  values: Float32Array,
  filter: number,
  bank: Bank,
  entry: FilterEntry,
  look: FilterLook,
): Tiles {
  const { count, kernel } = kernelsOf(entry);
  const order = orderBy(kernelPowers(values, count), look.sort === "norm");
  const plate = kernelPlate(kernel, entry.dilation, look.tile);
  const size = values.length / count;
  const end = weightEnd(bank, look.scale, filter);
  const sizes = entry.fold ? sizeText(kernel.slice(1)) : kernelSize(entry);
  const form = entry.fold ? "folded" : size === 1 ? "weights" : "kernels";
  const ink = (input: number) => (index: number) =>
    weightColour(values[input * size + index] ?? 0, end, look.signed);
  return {
    order,
    cover: `${plate.height} ${plate.width} ${entry.dilation}`,
    title: say(`inputs_${form}`, { count, sizes, end: formatNumber(end) }),
    paint: (view, grid, scroll) => paintPlates(view, grid, order, scroll, plate, ink),
    describe(input) {
      const extent = extentOf(values.subarray(input * size, (input + 1) * size));
      const { low, high } = extent ?? { low: NaN, high: NaN };
      const name = inputName(entry, filter, input);
      return say("range", { name, low: formatNumber(low), high: formatNumber(high) });
    },
    mark(input) {
      if (entry.colour) return colourName(input);
      // A single weight can stand in its label; a kernel has too many.
      return size === 1 ? `${Number((values[input] ?? 0).toPrecision(2))}` : "";
    },
  };
}
