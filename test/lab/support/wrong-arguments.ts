import { ArgumentTable } from '../../support/argument-table';

export const never = (): boolean => false;
export const between =
  (min: number, max: number) =>
  (value: unknown): boolean =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
export const optional =
  (takes: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || takes(value);
export const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
export const isAddress = (value: unknown): boolean =>
  typeof value === 'bigint' ? value >= 0n && value < 1n << 64n : between(0, Number.MAX_SAFE_INTEGER)(value);

/** What is wrong on purpose cannot have the right type. */
export const any = (value: unknown): never => value as never;

/**
 * Passes every kind of wrong value for each argument in turn, with the real kernel underneath: each is refused with an
 * error that names the argument, and nothing happens to the device.
 */
export function wrongArguments(
  fill: (add: ArgumentTable['add'], addOptions: ArgumentTable['addOptions']) => void,
): void {
  const table = new ArgumentTable();
  fill(table.add.bind(table), table.addOptions.bind(table));
  table.test();
}
