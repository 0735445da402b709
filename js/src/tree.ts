/** The modules of a network as a tree by path: folded, searched, and walked by keyboard. */

import { freshId } from "./controls";
import { element, setAttributes, show } from "./dom";
import { formatCount, formatShape } from "./format";
import type { LayerEntry } from "./traits";
import { words } from "./words";

/** Networks with more layers than this start folded, but for the branch in use. */
const UNFOLDED_LAYERS = 60;

interface Branch {
  readonly path: string;
  readonly label: string;
  readonly depth: number;
  readonly parent: Branch | null;
  readonly children: Branch[];
  /** Null for a module that only groups others and has no output of its own. */
  readonly layer: LayerEntry | null;
  open: boolean;
  row: HTMLElement | null;
}

/** Builds the tree of module paths, in the order of the calls. */
export function buildTree(layers: readonly LayerEntry[]): Branch[] {
  const roots: Branch[] = [];
  const groups = new Map<string, Branch>();
  const make = (path: string, label: string, layer: LayerEntry | null, parent: Branch | null) => {
    const depth = parent ? parent.depth + 1 : 0;
    const made: Branch = {
      path,
      label,
      depth,
      parent,
      children: [],
      layer,
      open: layers.length <= UNFOLDED_LAYERS,
      row: null,
    };
    (parent ? parent.children : roots).push(made);
    return made;
  };
  const group = (path: string): Branch | null => {
    if (path === "") return null;
    const known = groups.get(path);
    if (known) return known;
    const cut = path.lastIndexOf(".");
    const made = make(path, path.slice(cut + 1), null, group(path.slice(0, Math.max(0, cut))));
    groups.set(path, made);
    return made;
  };
  for (const layer of layers) {
    const cut = layer.path.lastIndexOf(".");
    const parent = group(layer.path.slice(0, Math.max(0, cut)));
    const label = layer.path.slice(cut + 1) + layer.name.slice(layer.path.length);
    const made = make(layer.path, label, layer, parent);
    if (!layer.leaf && !groups.has(layer.path)) groups.set(layer.path, made);
  }
  return roots;
}

export class Tree {
  readonly box: HTMLElement;
  readonly #list = element("div", { class: "cnnviz-tree", role: "tree" });
  readonly #none = element("p", { class: "cnnviz-remark", hidden: true }, words.nothingFound);
  readonly #search = element("input", { type: "search", class: "cnnviz-search" });
  readonly #onChoose: (layer: LayerEntry) => void;
  #roots: Branch[] = [];
  #visible: Branch[] = [];
  #current: string | null = null;
  #focused: Branch | null = null;
  #query = "";

  constructor(signal: AbortSignal, onChoose: (layer: LayerEntry) => void) {
    this.#onChoose = onChoose;
    const id = freshId();
    const title = element("h3", { id }, words.layers);
    setAttributes(this.#list, { "aria-labelledby": id });
    setAttributes(this.#search, { placeholder: words.findLayer, "aria-label": words.findLayer });
    this.box = element(
      "section",
      { class: "cnnviz-layers" },
      title,
      this.#search,
      this.#list,
      this.#none,
    );
    this.#search.addEventListener("input", () => this.#find(this.#search.value), { signal });
    this.#search.addEventListener("keydown", (event) => this.#onSearchKey(event), { signal });
    this.#list.addEventListener("keydown", (event) => this.#onKey(event), { signal });
    this.#list.addEventListener("click", (event) => this.#onClick(event), { signal });
  }

  setLayers(layers: readonly LayerEntry[]): void {
    this.#roots = buildTree(layers);
    this.#focused = null;
    this.#render();
  }

  /** Marks the layer shown, unfolds its branch and brings it into view within the tree. */
  choose(name: string): void {
    if (name === this.#current && this.#find1(name)?.row) return;
    this.#current = name;
    const branch = this.#find1(name);
    let hidden = false;
    for (let up = branch?.parent ?? null; up; up = up.parent) {
      hidden ||= !up.open;
      up.open = true;
    }
    if (hidden) this.#render();
    else this.#mark();
    const row = branch?.row;
    if (!row) return;
    if (!this.#list.contains(document.activeElement)) this.#rove(branch);
    const { offsetTop, offsetHeight } = row;
    const { scrollTop, clientHeight } = this.#list;
    const top = offsetTop - this.#list.offsetTop;
    if (top < scrollTop) this.#list.scrollTop = top - offsetHeight;
    else if (top + offsetHeight > scrollTop + clientHeight) {
      this.#list.scrollTop = top + 2 * offsetHeight - clientHeight;
    }
  }

  #find1(name: string | null): Branch | null {
    const search = (branches: readonly Branch[]): Branch | null => {
      for (const branch of branches) {
        if (branch.layer?.name === name) return branch;
        const found = search(branch.children);
        if (found) return found;
      }
      return null;
    };
    return name === null ? null : search(this.#roots);
  }

  #find(query: string): void {
    this.#query = query.trim().toLowerCase();
    this.#render();
  }

  #matches(branch: Branch): boolean {
    const { layer } = branch;
    const own = layer && `${layer.name} ${layer.type}`.toLowerCase().includes(this.#query);
    return own === true || branch.children.some((child) => this.#matches(child));
  }

  #render(): void {
    this.#visible = [];
    const searching = this.#query !== "";
    const walk = (branches: readonly Branch[]): void => {
      for (const branch of branches) {
        branch.row = null;
        if (searching && !this.#matches(branch)) continue;
        this.#visible.push(branch);
        if (branch.open || searching) walk(branch.children);
        else forget(branch.children);
      }
    };
    walk(this.#roots);
    this.#list.replaceChildren(...this.#visible.map((branch) => this.#row(branch, searching)));
    show(this.#none, this.#visible.length === 0 && searching);
    const focused = this.#visible.find((branch) => branch === this.#focused);
    this.#rove(focused ?? this.#visible.find((b) => b.layer?.name === this.#current) ?? null);
    this.#mark();
  }

  #row(branch: Branch, searching: boolean): HTMLElement {
    const { layer, depth, children } = branch;
    const folds = children.length > 0;
    const facts = layer
      ? [
          element("span", { class: "cnnviz-type" }, layer.type),
          element("span", { class: "cnnviz-shape" }, formatShape(layer.shape)),
        ]
      : [];
    const parameters =
      layer && layer.params > 0 ? words.parameters(formatCount(layer.params)) : words.noParameters;
    const title = layer
      ? `${layer.name}: ${layer.type}, ${formatShape(layer.shape)}, ${parameters}`
      : branch.path;
    const row = element(
      "div",
      {
        role: "treeitem",
        tabindex: -1,
        title,
        style: `--depth:${depth}`,
        "aria-level": depth + 1,
        "aria-expanded": folds ? String(branch.open || searching) : null,
      },
      element("span", { class: folds ? "cnnviz-fold" : "cnnviz-leaf", "aria-hidden": "true" }),
      element("span", { class: "cnnviz-label" }, branch.label),
      ...facts,
    );
    branch.row = row;
    return row;
  }

  #mark(): void {
    for (const { row, layer } of this.#visible) {
      row?.setAttribute("aria-selected", String(layer !== null && layer.name === this.#current));
    }
  }

  /** Makes one row the tab stop of the tree. */
  #rove(branch: Branch | null): void {
    this.#focused?.row?.setAttribute("tabindex", "-1");
    this.#focused = branch ?? this.#visible[0] ?? null;
    this.#focused?.row?.setAttribute("tabindex", "0");
  }

  #focus(branch: Branch | null | undefined): void {
    if (!branch?.row) return;
    this.#rove(branch);
    branch.row.focus();
  }

  #fold(branch: Branch, open: boolean): void {
    if (branch.children.length === 0 || branch.open === open) return;
    branch.open = open;
    this.#render();
    this.#focus(branch);
  }

  #choose(branch: Branch | null): void {
    if (branch?.layer) this.#onChoose(branch.layer);
    else if (branch) this.#fold(branch, !branch.open);
  }

  #onClick(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target : null;
    const row = target?.closest('[role="treeitem"]');
    const branch = this.#visible.find((candidate) => candidate.row === row);
    if (!branch) return;
    if (target?.closest(".cnnviz-fold")) {
      this.#fold(branch, !branch.open);
      return;
    }
    this.#rove(branch);
    this.#choose(branch);
  }

  #onSearchKey(event: KeyboardEvent): void {
    if (event.key === "ArrowDown") this.#focus(this.#focused ?? this.#visible[0]);
    else if (event.key === "Enter") {
      const match = this.#visible.find(
        ({ layer }) => layer && `${layer.name} ${layer.type}`.toLowerCase().includes(this.#query),
      );
      this.#choose(match ?? null);
    } else return;
    event.preventDefault();
  }

  #onKey(event: KeyboardEvent): void {
    const branch = this.#focused;
    if (!branch || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.#visible.indexOf(branch);
    const folds = branch.children.length > 0;
    if (event.key === "ArrowDown") this.#focus(this.#visible[at + 1]);
    else if (event.key === "ArrowUp") this.#focus(this.#visible[at - 1]);
    else if (event.key === "Home") this.#focus(this.#visible[0]);
    else if (event.key === "End") this.#focus(this.#visible.at(-1));
    else if (event.key === "ArrowRight" && folds && !branch.open) this.#fold(branch, true);
    else if (event.key === "ArrowRight" && folds) this.#focus(this.#visible[at + 1]);
    else if (event.key === "ArrowLeft" && folds && branch.open) this.#fold(branch, false);
    else if (event.key === "ArrowLeft") this.#focus(branch.parent);
    else if (event.key === "Enter" || event.key === " ") this.#choose(branch);
    else return;
    event.preventDefault();
  }
}

function forget(branches: readonly Branch[]): void {
  for (const branch of branches) {
    branch.row = null;
    forget(branch.children);
  }
}
