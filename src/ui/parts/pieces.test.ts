import { expect, test } from "vitest";
import { pieceOf, pieceParts, pieceWords, runningPiece } from "./pieces.ts";

test("a token has its text, or its number while that is not known", () => {
  const pieces = new Map([[5, " heaven"]]);
  expect([pieceOf(pieces, 5), pieceOf(pieces, 6)]).toEqual([" heaven", "#6"]);
  expect([5, 6, 7].map((id) => runningPiece(pieces, id)).join("")).toBe(" heaven #6 #7");
});

test("white space is seen, letters stay as they are", () => {
  expect(pieceParts(" heaven")).toEqual([
    { text: "·", isSpace: true },
    { text: "heaven", isSpace: false },
  ]);
  expect(pieceParts("\n\t ")).toEqual([{ text: "↵⇥·", isSpace: true }]);
  expect(pieceParts("")).toEqual([]);
});

test("in a sentence a token keeps its blank and stays on its line", () => {
  expect([pieceWords(" sea"), pieceWords("\n\n")]).toEqual(['" sea"', '"↵↵"']);
});
