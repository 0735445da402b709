import { describe, expect, it } from "vitest";
import { keyText, makeStore } from "../src/store";

describe("a store", () => {
  it("lets the least recently used go first", () => {
    const store = makeStore<string>(100);
    store.put("a", "A", 40);
    store.put("b", "B", 40);
    store.get("a");
    store.put("c", "C", 40);
    expect(["a", "b", "c"].map((key) => store.has(key))).toEqual([true, false, true]);
    expect(store.bytes()).toBe(80);
  });

  it("holds as much as it may", () => {
    const store = makeStore<string>(100);
    store.put("a", "A", 40);
    store.put("b", "B", 60);
    expect([store.has("a"), store.bytes()]).toEqual([true, 100]);
  });

  it("counts a frame that is replaced once", () => {
    const store = makeStore<string>(100);
    store.put("a", "A", 40);
    store.put("a", "A2", 60);
    expect(store.bytes()).toBe(60);
    expect(store.get("a")).toBe("A2");
    expect(store.bytes()).toBe(60);
  });

  it("keeps a frame larger than itself alone", () => {
    const store = makeStore<string>(100);
    store.put("a", "A", 40);
    store.put("big", "B", 400);
    expect(store.has("a")).toBe(false);
    expect(store.get("big")).toBe("B");
    store.put("c", "C", 10);
    expect(store.bytes()).toBe(10);
  });

  it("forgets everything", () => {
    const store = makeStore<string>(100);
    store.put("a", "A", 40);
    store.clear();
    expect([store.bytes(), store.has("a"), store.get("a")]).toEqual([0, false, null]);
  });
});

it("keys tell all that a frame depends on apart", () => {
  const base = { epoch: 1, side: "output", layer: "conv1", image: 0, tile: 112 } as const;
  const keys = [
    base,
    { ...base, epoch: 2 },
    { ...base, side: "input" as const },
    { ...base, layer: "conv2" },
    { ...base, image: 1 },
    { ...base, tile: 56 },
  ].map(keyText);
  expect(new Set(keys).size).toBe(6);
});
