import { Table } from "@mantine/core";
import type { ReactNode } from "react";

export interface Column<T> {
  key: string;
  header: string;
  numeric?: boolean;
  cell: (row: T) => ReactNode;
}

const align = ({ numeric }: { numeric?: boolean }) => (numeric ? "right" : undefined);

/** The cells of a table's head. */
export function HeadCells<T>({ columns }: { columns: Column<T>[] }) {
  return columns.map((column) => (
    <Table.Th key={column.key} scope="col" role="columnheader" ta={align(column)}>
      {column.header}
    </Table.Th>
  ));
}

/** The cells of a row, each with its header for a phone. */
export function RowCells<T>({ columns, row }: { columns: Column<T>[]; row: T }) {
  return columns.map((column) => (
    <Table.Td key={column.key} role="cell" data-label={column.header} ta={align(column)}>
      {column.cell(row)}
    </Table.Td>
  ));
}
