/** The words of the FilterGrid; those that it shares with other widgets are in words.ts. */

export type FilterSort = "index" | "norm" | "similarity";
export type FilterScale = "layer" | "filter";

export const filter = (filter: number) => `Filter ${filter}`;
export const allFilters = "All filters";
export const ofFilter = "Weights of the filter";

const some = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

export const size = (sizes: readonly number[]) => sizes.join(" × ") || "1";
export const titles = {
  colour: (count: number, sizes: string) => `${some(count, "filter")} of ${sizes} in colour`,
  kernel: (count: number, sizes: string) => `${some(count, "kernel")} of ${sizes}`,
  norm: (count: number, sizes: string, inputs: number) =>
    `${some(count, "filter")} of ${inputs} kernels of ${sizes}: their norm at every place`,
  matrix: (count: number, _: string, inputs: number) =>
    `A row for each of ${some(count, "filter")}, a column for each of ${some(inputs, "input")}`,
};
export const reduced = (factor: number) => `, drawn ${factor} in one`;
export const counts = (dead: number, twins: number) =>
  (dead ? `; ${dead} dead` : "") + (twins ? `; ${twins} alike` : "");
export const byIndex = "; by index, for they are not compared";
export const ofInputs = (count: number, sizes: string, end: string, isFolded: boolean) =>
  `${some(count, isFolded ? "channel" : sizes ? "kernel" : "weight")}${sizes && ` of ${sizes}`}, ${
    isFolded ? "as before they were flattened" : "one for each input"
  }; from -${end} to ${end}, 0 in the middle`;
export const input = (input: number) => `input ${input}`;
export const inputs = (first: number, last: number) => `inputs ${first} to ${last}`;
export const inputCount = (count: number) => some(count, "input");
export const colours = ["red", "green", "blue"];
export const range = (name: string, low: string, high: string) => `${name}: ${low} to ${high}`;

export const cell = (filter: number, norm: string, marks: string) =>
  `filter ${filter}: norm ${norm}${marks && `, ${marks}`}`;
export const dead = "dead";
export const twin = (other: number) => `like ${other}`;
export const isDead = (share: string, bound: string) =>
  `Dead: its norm is ${share} of the largest in this layer; up to ${bound} counts as dead.`;
export const isTwin = (other: number, cosine: string, bound: string) =>
  `Like filter ${other}: cosine similarity ${cosine}; ${bound} or more counts as alike.`;

export const facts = ["minimum", "maximum", "mean", "norm", "zeros", "nearest"];
export const nearest = (other: number, cosine: string) => `${other} (${cosine})`;
export const rank = (place: number, count: number, sort: FilterSort) =>
  sort === "index" ? `of ${count}` : `${place} of ${count} by ${sort}`;
export const large = (filter: number, layer: string, what: string) =>
  `Filter ${filter} of ${layer}, ${what}; arrow keys read its weights`;
export const readoutHint = "Point at the filter to read a weight.";
export const reading = (place: string, value: string) => `${place}: ${value}`;

export const answer = (filter: number) => `What filter ${filter} answers`;
export const answerScale = (low: string, high: string) => `Its own scale, ${low} to ${high}`;
export const answerPlace = (label: string, place: number, count: number) =>
  `${label}${place} of ${count}, largest first`;
export const answerSlice = (slice: number, count: number) => `, slice ${slice} of ${count}`;
export const noAnswer = "This layer's output has no channel for this filter.";
export const noInputs =
  "Weights need no picture. Give inputs, FilterGrid(model, pictures), to see what a filter answers.";

export const sorts: Readonly<Record<FilterSort, string>> = {
  index: "index",
  norm: "norm",
  similarity: "similarity",
};
export const scales: Readonly<Record<FilterScale, string>> = {
  layer: "all filters alike",
  filter: "each filter on its own",
};
export const subjects = {
  colour: "Weights as colours, 0 is grey",
  kernel: "Weights, 0 in the middle",
  norm: "Norm over the inputs",
  matrix: "Root mean square of weights",
};
export const legend = (what: string, scale: FilterScale, filter: number) =>
  scale === "layer"
    ? `${what}; all filters on one scale:`
    : `${what}; each filter on its own scale, filter ${filter}:`;
export const bounds = (dead: string, twin: string) =>
  `dead: norm up to ${dead} of the layer's largest; like: cosine similarity of ${twin} or more`;
