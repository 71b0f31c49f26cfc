import type { ReactNode } from "react";

export interface Column<T> {
  key: string;
  header: string;
  numeric?: boolean;
  cell: (row: T) => ReactNode;
}

const align = ({ numeric }: { numeric?: boolean }) => ({ textAlign: numeric ? ("right" as const) : undefined });

/** The cells of a table's head. */
export function HeadCells<T>({ columns }: { columns: Column<T>[] }) {
  return columns.map((column) => (
    <th key={column.key} scope="col" role="columnheader" style={align(column)}>
      {column.header}
    </th>
  ));
}

/** The cells of a row, each with its header for a phone. */
export function RowCells<T>({ columns, row }: { columns: Column<T>[]; row: T }) {
  return columns.map((column) => (
    <td key={column.key} role="cell" data-label={column.header} style={align(column)}>
      {column.cell(row)}
    </td>
  ));
}
