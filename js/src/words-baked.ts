/** The words of a page without a kernel, besides those of words.ts. */

export const notStored = "This is not stored in the page.";
export const needsKernel = "This needs a kernel: run the notebook to use it.";
export const cannotOpen = (error: string) =>
  `This widget could not be opened (${error}). A browser of 2023 or later is needed.`;
