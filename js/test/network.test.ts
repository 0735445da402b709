import { expect, it } from "vitest";
import { makeNetwork, stepOver } from "../src/network";
import { indexOf, layerEntry } from "./model";

it("lists leaves in execution order and places a container at its last layer", () => {
  const layers = [
    layerEntry("head", 2),
    layerEntry("body", -1),
    layerEntry("body.b", 1),
    layerEntry("body.a", 0),
  ];
  const network = makeNetwork({ ...indexOf(), layers });
  expect(network.leaves.map(({ name }) => name)).toEqual(["body.a", "body.b", "head"]);
  expect(network.placeOf(layerEntry("body", -1))).toBe(1);
  expect(network.find("nothing")).toBeNull();
});

it("steps over what cannot be shown, on in the same direction, and turns at the end", () => {
  const leaves = ["a", "-", "-", "b", "c", "-"];
  const step = (from: number, to: number) => stepOver(leaves, from, to, (leaf) => leaf !== "-");
  expect(step(0, 1)).toBe("b");
  expect(step(3, 2)).toBe("a");
  expect(step(3, 5)).toBe("c");
  expect(step(0, 4)).toBe("c");
  expect(step(4, 4)).toBe("c");
  expect(stepOver(leaves, 0, 3, () => false)).toBeNull();
});
