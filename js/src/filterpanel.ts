/** The chosen filter: large, its weights under the pointer, its numbers and how they are spread. */

import { h, makeImage, type On, setAttributes, setText } from "./dom";
import { kernelPlate, mixedColour, type Plate, rowPlate, weightColour } from "./filterpaint";
import {
  type Bank,
  deadNorm,
  type FilterEntry,
  filterOrder,
  largestOf,
  twinOf,
  weightEnd,
} from "./filters";
import {
  COLOURS,
  type FilterLook,
  inputName,
  kernelPowers,
  kernelSize,
  kernelsOf,
} from "./filtertiles";
import { formatExact, formatNumber, formatRank, formatShare } from "./format";
import { makeFrame } from "./frame";
import { makeHistogram } from "./histogram";
import { makeProbe } from "./probe";
import { say } from "./words";

export interface FilterPanel {
  /** The filter. */
  readonly large: HTMLElement;
  /** The numbers beside it. */
  readonly numbers: HTMLElement;
  /**
   * Shows a filter.
   *
   * @param values its weights, once they are here
   * @param input whose kernel is shown large; -1 for that of the strongest
   * @returns the input shown, or -1 where the filter is shown whole
   */
  show(
    bank: Bank,
    entry: FilterEntry,
    filter: number,
    values: Float32Array | null,
    look: FilterLook,
    input: number,
  ): number;
}

const FACTS = ["minimum", "maximum", "mean", "norm", "zeros", "nearest"] as const;
/** Beyond this many cells along a side, the gaps of a dilated kernel would hide its values. */
const MOST_GAPPED = 24;

export function makeFilterPanel(on: On): FilterPanel {
  const { frame, canvas, resize, mark } = makeFrame({ role: "application", tabindex: 0 });
  const [title, rank, readout, remark] = [new Text(), new Text(), new Text(), new Text()];
  const numbers = FACTS.map((name) => {
    const number = new Text();
    return { number, box: h("div", h("dt", say(`fact_${name}`)), h("dd", number)) };
  });
  const histogram = makeHistogram();
  let plate: Plate | null = null;
  let read: (index: number) => string = () => "";

  const probe = makeProbe(
    on,
    frame,
    canvas,
    () => plate,
    (aim) => {
      const index = aim && plate ? (plate.at[aim.y * plate.width + aim.x] ?? -1) : -1;
      setText(readout, index < 0 ? say("filter_readout_hint") : read(index));
      mark(aim?.spot ?? null);
    },
  );

  const sayFacts = (bank: Bank, entry: FilterEntry, filter: number, look: FilterLook) => {
    const { likeness, norm, zeros, minimum, maximum, mean } = bank;
    const rows = [minimum, maximum, mean, norm];
    const facts = rows.map((row) => formatNumber(row[filter] ?? 0));
    const other = likeness?.nearest[filter] ?? filter;
    const cosine = likeness?.cosine[filter] ?? 0;
    const share = formatShare(zeros[filter] ?? 0, entry.params / entry.filters);
    const near = other === filter ? "–" : `${other} (${cosine.toFixed(2)})`;
    [...facts, share, near].forEach((fact, i) => {
      setText(numbers[i]?.number as Text, fact);
    });
    const { dead, twin } = look.bounds;
    let text = "";
    if ((norm[filter] ?? 0) <= deadNorm(bank, look.bounds)) {
      text = say("is_dead", {
        share: formatShare(norm[filter] ?? 0, largestOf(norm)),
        bound: formatShare(dead, 1),
      });
    } else if (twinOf(bank, filter, look.bounds) >= 0) {
      text = say("is_twin", { other, cosine: cosine.toFixed(4), bound: `${twin}` });
    }
    setText(remark, text);
    const place = filterOrder(bank, look.sort).indexOf(filter) + 1;
    setText(title, say("filter", { filter }));
    const by = look.sort === "index" ? "" : say(`sort_${look.sort}`);
    setText(rank, formatRank(place, bank.filters, by));
  };

  return {
    large: h("div.square", frame),
    numbers: h(
      "section.detail",
      h("h3", h("span", title), h("small", rank)),
      h("output.readout", readout),
      h("dl", ...numbers.map((fact) => fact.box)),
      histogram.box,
      h("p.quiet", remark),
    ),
    show(bank, entry, filter, values, look, wanted) {
      sayFacts(bank, entry, filter, look);
      // What is large stays, faintly, until the weights of this one are here.
      setAttributes(frame, { "data-stale": !values });
      plate = null;
      if (!values) return -1;
      const { count, kernel } = kernelsOf(entry);
      const size = values.length / count;
      const isRow = size === 1 && count > 1 && !entry.colour;
      const powers = kernelPowers(values, count);
      const input = powers[wanted] === undefined ? powers.indexOf(Math.max(...powers)) : wanted;
      const start = isRow || entry.colour ? 0 : Math.max(0, input) * size;
      const exact = (index: number) => formatExact(values[index] ?? 0);

      read = (index) => {
        if (isRow)
          return say("labelled", { label: inputName(entry, filter, index), text: exact(index) });
        const [, rows = 1, columns = 1] = kernel;
        const place = [Math.floor(index / (rows * columns)), Math.floor(index / columns) % rows];
        const axes = entry.fold ? 2 : entry.axes;
        const where = [...place, index % columns].map((at, i) => `${"zyx"[i]} ${at}`);
        const text = where.slice(3 - axes).join(", ");
        if (entry.colour) {
          const mixed = COLOURS.map(
            (name, i) => `${say(`colour_${name}`)} ${exact(i * size + index)}`,
          );
          return say("labelled", { label: text, text: mixed.join(", ") });
        }
        const named = { first: inputName(entry, filter, input), second: text };
        const label = count > 1 ? say("listed", named) : text;
        return say("labelled", { label, text: exact(start + index) });
      };

      const end = weightEnd(bank, look.scale, filter);
      plate = isRow ? rowPlate(count) : kernelPlate(kernel, entry.dilation, MOST_GAPPED);
      resize(plate.width, plate.height);
      const { pixels, put } = makeImage(canvas, plate.width, plate.height);
      plate.at.forEach((index, cell) => {
        if (index < 0) return;
        pixels[cell] = entry.colour
          ? mixedColour((colour) => values[colour * size + index] ?? 0, end, look.grey)
          : weightColour(values[start + index] ?? 0, end, look.signed);
      });
      put();
      const what = entry.axes ? kernelSize(entry) : say("input_count", { count: entry.inputs });
      frame.setAttribute("aria-label", say("filter_large", { filter, layer: entry.name, what }));
      histogram.show(values);
      setText(readout, say("filter_readout_hint"));
      probe.refresh();
      return isRow || entry.colour ? -1 : input;
    },
  };
}
