import { LitElement } from "lit";
import { ownTurn } from "./turns.ts";

/** A panel that appears in a turn of its own, since its surface brings several at once; later changes it shows right away. */
export class TurnElement extends LitElement {
  protected override async scheduleUpdate(): Promise<void> {
    if (!this.hasUpdated) await ownTurn();
    await super.scheduleUpdate();
  }
}
