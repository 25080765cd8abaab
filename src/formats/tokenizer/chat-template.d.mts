/** Statements of a template. */
export interface TemplateProgram {
  readonly type: string;
}

export function parseTemplate(template: string): TemplateProgram;
export function renderTemplate(program: TemplateProgram, variables: Readonly<Record<string, unknown>>): string;
