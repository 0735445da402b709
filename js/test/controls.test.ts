// @vitest-environment jsdom
import { expect, it, vi } from "vitest";
import { folded, tileControl } from "../src/controls";
import { listenUntil } from "../src/dom";

const on = listenUntil(new AbortController().signal);

it("offers a size of tiles that Python set, once", () => {
  const onChange = vi.fn();
  const tile = tileControl(on, onChange);
  const offered = () => [...tile.input.options].map(({ text }) => text);
  const usual = offered();
  for (const px of [64, 50, 50, 64]) {
    tile.set(px);
    expect(tile.input.value).toBe(`${px}`);
  }
  expect(offered()).toEqual([...usual, "50 px"]);
  tile.input.dispatchEvent(new Event("change"));
  expect(onChange).toHaveBeenCalledExactlyOnceWith(64);
});

it("folds controls away, and words below them", () => {
  const tile = tileControl(on, () => {});
  const below = document.createElement("p");
  const box = folded([tile], below);
  expect((box as HTMLDetailsElement).open).toBe(false);
  expect([...box.children].map(({ tagName }) => tagName)).toEqual(["SUMMARY", "DIV", "P"]);
  expect(box.contains(tile.input)).toBe(true);
});
