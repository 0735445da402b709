/** The words of a page without a kernel, besides those of words.ts. */

export const notStored = "This is not stored in the page.";
export const needsKernel = "Run the notebook to see it.";
