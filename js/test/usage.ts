/** How the sources use the tables: each call of `say`, the texts it can mean and its fields. */

import ts from "typescript";

const ROOT = decodeURIComponent(import.meta.url).replace(/^file:\/\/(.*)\/test\/.*$/, "$1");
const SOURCES = `${ROOT}/src/`;

/** A file beside the sources, as text. */
export function readText(path: string): string {
  return ts.sys.readFile(`${ROOT}/${path}`) ?? "";
}

/** The file that a module means by an import. */
function imported(file: string, text: string): string {
  const parts = file.split("/").slice(0, -1);
  for (const part of text.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return `${parts.join("/")}.ts`;
}

/** A call of `say`. */
export interface Use {
  /** The file, and the line in it, to be found by whoever broke something. */
  readonly place: string;
  readonly file: string;
  readonly keys: readonly string[];
  /** Names of the fields given. */
  readonly fields: readonly string[];
}

export interface Usage {
  readonly uses: readonly Use[];
  /** Texts with words in them that do not come from a table, each with its place. */
  readonly literals: readonly string[];
  /** Files that a module imports, also by way of others, and itself. */
  reached(file: string): ReadonlySet<string>;
}

/** Functions whose texts are seen or heard, with the place of the first such argument. */
const SHOWING: Readonly<Record<string, number>> = { h: 1, setText: 1, Text: 0 };
const SPOKEN_ATTRIBUTES = ["aria-label", "aria-valuetext", "placeholder", "title", "alt"];
/** A word: letters that are no unit and no field. */
const WORD = /[a-z]{3,}/i;

function configured(): ts.Program {
  const { config } = ts.readConfigFile(`${ROOT}/tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const files = ts.sys.readDirectory(SOURCES, [".ts"]);
  return ts.createProgram(files, options);
}

function nameOf(node: ts.Expression): string {
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  return ts.isIdentifier(node) ? node.text : "";
}

/** Reads all sources. */
export function readUsage(): Usage {
  const program = configured();
  const checker = program.getTypeChecker();
  const uses: Use[] = [];
  const literals: string[] = [];
  const imports = new Map<string, string[]>();

  const keysOf = (key: ts.Expression): string[] => {
    const type = checker.getContextualType(key) && checker.getTypeAtLocation(key);
    const types = type?.isUnion() ? type.types : [type];
    return types.flatMap((each) => (each?.isStringLiteral() ? [each.value] : []));
  };
  const fieldsOf = (fields: ts.Expression | undefined): string[] =>
    fields
      ? checker
          .getTypeAtLocation(fields)
          .getProperties()
          .map(({ name }) => name)
      : [];

  const textsIn = (node: ts.Node): string[] => {
    if (ts.isCallExpression(node) || ts.isFunctionLike(node)) return [];
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return [node.text];
    if (ts.isTemplateExpression(node)) {
      const parts = [node.head, ...node.templateSpans.map(({ literal }) => literal)];
      return parts.map(({ text }) => text);
    }
    if (ts.isConditionalExpression(node)) {
      return [node.whenTrue, node.whenFalse].flatMap(textsIn);
    }
    if (ts.isBinaryExpression(node)) return [node.left, node.right].flatMap(textsIn);
    if (ts.isObjectLiteralExpression(node)) {
      return node.properties.flatMap((property) => {
        if (!ts.isPropertyAssignment(property)) return [];
        const name = property.name.getText().replaceAll('"', "");
        return SPOKEN_ATTRIBUTES.includes(name) ? textsIn(property.initializer) : [];
      });
    }
    return [];
  };

  for (const source of program.getSourceFiles()) {
    if (source.isDeclarationFile || !source.fileName.startsWith(SOURCES)) continue;
    const file = source.fileName.slice(SOURCES.length);
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      const at = () => source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
      if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
        const { text } = node.moduleSpecifier;
        if (text.startsWith(".")) found.push(imported(file, text));
      }
      if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
        const name = nameOf(node.expression);
        const [first, second] = node.arguments ?? [];
        const isSay = ts.isIdentifier(node.expression) && name === "say";
        if (isSay && first && file !== "words.ts") {
          const [keys, fields] = [keysOf(first), fieldsOf(second)];
          uses.push({ place: `${file}:${at()}`, file, keys, fields });
        }
        const from = SHOWING[name];
        const shown = from === undefined ? [] : (node.arguments ?? []).slice(from);
        const said = shown.flatMap(textsIn).filter((text) => WORD.test(text));
        literals.push(...said.map((text) => `${file}:${at()}: ${text}`));
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    imports.set(file, found);
  }

  return {
    uses,
    literals,
    reached(file) {
      const seen = new Set<string>();
      const queue = [file];
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        if (seen.has(next)) continue;
        seen.add(next);
        queue.push(...(imports.get(next) ?? []));
      }
      return seen;
    },
  };
}
