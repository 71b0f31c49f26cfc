import { Skeleton, Stack } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ErrorState } from "./ErrorState";

interface Props<T> {
  query: Pick<UseQueryResult<T>, "data" | "error" | "failureReason" | "isFetching" | "refetch">;
  /** Shown instead of the content when there is nothing. */
  empty?: { when: (data: T) => boolean; show: ReactNode };
  /** Height of what is awaited, so that the page does not jump. */
  height?: number;
  children: (data: T) => ReactNode;
}

/** The four faces of a query: loading, failed, empty, there. What was loaded before stays while it is renewed. */
export function QueryView<T>({ query, empty, height = 160, children }: Props<T>) {
  const { data } = query;
  const failed = query.error ?? query.failureReason;
  if (data === undefined) {
    if (failed) return <ErrorState error={failed} retry={() => void query.refetch()} busy={query.isFetching} />;
    return (
      <Stack role="status" aria-label="Loading">
        <Skeleton height={height} radius="md" />
      </Stack>
    );
  }
  return (
    <>
      {failed && <ErrorState compact error={failed} retry={() => void query.refetch()} busy={query.isFetching} />}
      {empty?.when(data) ? empty.show : children(data)}
    </>
  );
}
