/** The modules of a network as a tree by path: folded, searched, and walked by keyboard. */

import { h, type On, onKeys, show } from "./dom";
import { formatParameters, formatShape } from "./format";
import type { LayerEntry } from "./traits";
import { say } from "./words";

/** Networks with more layers than this start folded, but for the branch in use. */
const UNFOLDED_LAYERS = 60;

export interface Branch {
  readonly label: string;
  readonly depth: number;
  readonly parent: Branch | null;
  readonly children: Branch[];
  /** Null for a module that only groups others and has no output of its own. */
  readonly layer: LayerEntry | null;
  isOpen: boolean;
  /** Its row, while it is to be seen. */
  row: HTMLElement | null;
}

/** Builds the tree of module paths, in the order of the calls; a branch comes before its children. */
export function buildTree(layers: readonly LayerEntry[]): Branch[] {
  const branches: Branch[] = [];
  const groups = new Map<string, Branch>();
  const make = (label: string, layer: LayerEntry | null, parent: Branch | null): Branch => {
    const depth = parent ? parent.depth + 1 : 0;
    const isOpen = layers.length <= UNFOLDED_LAYERS;
    const made: Branch = { label, depth, parent, children: [], layer, isOpen, row: null };
    branches.push(made);
    parent?.children.push(made);
    return made;
  };
  const groupOf = (path: string): Branch | null => {
    const cut = path.lastIndexOf(".");
    if (cut < 0) return null;
    const parent = path.slice(0, cut);
    const known = groups.get(parent);
    if (known) return known;
    const made = make(parent.slice(parent.lastIndexOf(".") + 1), null, groupOf(parent));
    groups.set(parent, made);
    return made;
  };
  for (const layer of layers) {
    const label = layer.name.slice(layer.path.lastIndexOf(".") + 1);
    const made = make(label, layer, groupOf(layer.path));
    if (!groups.has(layer.path)) groups.set(layer.path, made);
  }
  return branches;
}

export interface Tree {
  readonly box: HTMLElement;
  setLayers(layers: readonly LayerEntry[]): void;
  /** Marks the layer shown, unfolds its branch and brings it into view within the tree. */
  choose(name: string): void;
}

export function makeTree(on: On, onChoose: (layer: LayerEntry) => void): Tree {
  const list = h("div.tree", { role: "tree", "aria-label": say("layers") });
  const none = h("p.quiet", { role: "status" }, say("no_layer_found"));
  const search = h("input", {
    type: "search",
    placeholder: say("find_layer"),
    "aria-label": say("find_layer"),
  });
  let branches: Branch[] = [];
  let shown: Branch[] = [];
  let current = "";
  let focused: Branch | undefined;

  const isMatch = ({ layer, children }: Branch, query: string): boolean =>
    `${layer?.name ?? ""} ${layer?.type ?? ""}`.toLowerCase().includes(query) ||
    children.some((child) => isMatch(child, query));

  const makeRow = ({ layer, label, depth, children, isOpen }: Branch): HTMLElement => {
    const row = h(
      "div",
      {
        role: "treeitem",
        tabindex: -1,
        style: `--depth:${depth}`,
        "aria-level": depth + 1,
        "aria-expanded": children.length > 0 && `${isOpen || search.value !== ""}`,
      },
      h("i"),
      h("b", label),
    );
    if (layer) {
      const shape = formatShape(layer.shape);
      row.append(h("span", layer.type), h("span", shape));
      const [name, type] = [layer.name, layer.type];
      const facts = [name, type, shape, formatParameters(layer.params)];
      row.title = facts.reduce((first, second) => say("listed", { first, second }));
    }
    return row;
  };

  /** Makes one row the tab stop of the tree. */
  const rove = (branch = shown[0]) => {
    focused?.row?.setAttribute("tabindex", "-1");
    branch?.row?.setAttribute("tabindex", "0");
    focused = branch;
  };

  const focus = (branch: Branch | null | undefined) => {
    if (!branch?.row) return;
    rove(branch);
    branch.row.focus();
  };

  const isUnfolded = ({ parent }: Branch): boolean =>
    !parent || (parent.isOpen && isUnfolded(parent));

  const mark = () => {
    for (const { layer, row } of shown) {
      row?.setAttribute("aria-selected", `${layer?.name === current}`);
    }
  };

  const render = () => {
    const query = search.value.trim().toLowerCase();
    shown = [];
    for (const branch of branches) {
      const isShown = query ? isMatch(branch, query) : isUnfolded(branch);
      branch.row = isShown ? makeRow(branch) : null;
      if (isShown) shown.push(branch);
    }
    list.replaceChildren(...shown.flatMap(({ row }) => row ?? []));
    show(none, shown.length === 0);
    mark();
    rove(focused?.row ? focused : shown.find(({ layer }) => layer?.name === current));
  };

  const fold = (branch: Branch, isOpen: boolean) => {
    branch.isOpen = isOpen;
    render();
    focus(branch);
  };

  const pick = (branch: Branch | undefined) => {
    if (branch?.layer) onChoose(branch.layer);
    else if (branch) fold(branch, !branch.isOpen);
  };

  on(search, "input", render);
  onKeys(on, search, (key) => {
    if (key === "ArrowDown") focus(focused);
    else if (key === "Enter") pick(shown.find(({ children }) => children.length === 0));
    else return false;
    return true;
  });
  on(list, "click", ({ target }) => {
    const node = target as Element;
    const branch = shown.find(({ row }) => row?.contains(node));
    if (!branch) return;
    rove(branch);
    if (node.tagName === "I" && branch.children.length > 0) fold(branch, !branch.isOpen);
    else pick(branch);
  });
  onKeys(on, list, (key) => {
    if (!focused) return false;
    const branch = focused;
    const at = shown.indexOf(branch);
    const isFolder = branch.children.length > 0;
    if (key === "ArrowRight" && isFolder && !branch.isOpen) fold(branch, true);
    else if (key === "ArrowLeft" && isFolder && branch.isOpen) fold(branch, false);
    else if (key === "ArrowLeft") focus(branch.parent);
    else if (key === "ArrowDown" || (key === "ArrowRight" && isFolder)) focus(shown[at + 1]);
    else if (key === "ArrowUp") focus(shown[at - 1]);
    else if (key === "Home") focus(shown[0]);
    else if (key === "End") focus(shown.at(-1));
    else if (key === "Enter" || key === " ") pick(branch);
    else return false;
    return true;
  });

  return {
    box: h("section.layers", h("h3", say("layers")), search, list, none),
    setLayers(layers) {
      branches = buildTree(layers);
      focused = undefined;
      render();
    },
    choose(name) {
      if (name === current) return;
      current = name;
      const branch = branches.find(({ layer }) => layer?.name === name);
      if (!branch) return;
      for (let up = branch.parent; up; up = up.parent) up.isOpen = true;
      if (branch.row) mark();
      else render();
      if (!branch.row) return;
      if (!list.contains(document.activeElement)) rove(branch);
      const { offsetTop, offsetHeight } = branch.row;
      const above = offsetTop - list.scrollTop;
      const isInView = above >= 0 && above + offsetHeight <= list.clientHeight;
      if (!isInView) list.scrollTop = offsetTop - list.clientHeight / 2;
    },
  };
}
