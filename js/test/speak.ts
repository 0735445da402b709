/** Lets all tests speak English, those too that open no view. */

import { beforeEach, vi } from "vitest";
import { takeWords } from "../src/words";
import { TABLES } from "./tables";

beforeEach(() => {
  if (typeof navigator === "undefined") vi.stubGlobal("navigator", { languages: [] });
  takeWords(TABLES, "en");
});
