import { expect, it } from "vitest";
import { buildTree } from "../src/tree";
import { layerEntry } from "./model";

function outline(names: readonly [string, boolean][]): string[] {
  const layers = names.map(([name, leaf], i) => ({ ...layerEntry(name, i), leaf }));
  return buildTree(layers).map(
    ({ label, depth, layer }) => `${"-".repeat(depth)}${label}${layer ? "" : "*"}`,
  );
}

it("follows the module paths", () => {
  const names: [string, boolean][] = [
    ["conv1", true],
    ["layer1", false],
    ["layer1.0", false],
    ["layer1.0.relu#1", true],
    ["layer1.0.relu#2", true],
    ["fc", true],
  ];
  expect(outline(names)).toEqual(["conv1", "layer1", "-0", "--relu#1", "--relu#2", "fc"]);
});

it("groups what a module without an output of its own holds", () => {
  const names: [string, boolean][] = [
    ["blocks.0.conv", true],
    ["blocks.1.conv", true],
  ];
  expect(outline(names)).toEqual(["blocks*", "-0*", "--conv", "-1*", "--conv"]);
});

it("folds the branches of a large network", () => {
  const layers = Array.from({ length: 61 }, (_, i) => layerEntry(`layer${i}.conv`, i));
  expect(buildTree(layers).every(({ isOpen }) => !isOpen)).toBe(true);
  expect(buildTree(layers.slice(1)).every(({ isOpen }) => isOpen)).toBe(true);
});
