/** The words of the choice of a class. */

export const target = "Class";
export const classes = "Classes";
export const likely = (place: number, count: number) => `${place} of the ${count} likeliest`;
export const searched = "found by name";
export const findClass = "Find a class";
export const noClass = "No class matches.";
export const explain = (name: string) => `Explain ${name}`;
