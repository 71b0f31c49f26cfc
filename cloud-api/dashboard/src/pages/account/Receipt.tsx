import { Button, List, Stack, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import type { ErasureReceipt } from "@/api/types";
import { forget } from "@/session/actions";
import { Dialog } from "@/shared/Dialog";
import { download } from "@/shared/download";
import { count } from "@/shared/format";

/** What was removed, and from where. The page ends with it: there is nobody left to be signed in. */
export function Receipt({ receipt }: { receipt: ErasureReceipt }) {
  const queries = useQueryClient();
  const leave = () => {
    queries.clear();
    forget();
  };
  const save = () => download(`erasure-${receipt.receipt_id}.json`, JSON.stringify(receipt, null, 2), "application/json");
  return (
    <Dialog opened onClose={leave} title="Your account is erased" closeOnClickOutside={false}>
      <Stack>
        <Text fz="sm" style={{ overflowWrap: "anywhere" }}>
          Receipt {receipt.receipt_id}
        </Text>
        {receipt.stores.map(({ store, status, removed }) => (
          <div key={store}>
            <Text fw={600}>
              {store}: {status === "done" ? "done" : "under way; the receipt’s address shows when it is done"}
            </Text>
            <List fz="sm">
              {Object.entries(removed)
                .filter(([, n]) => n > 0)
                .map(([what, n]) => (
                  <List.Item key={what}>
                    {what.replaceAll("_", " ")}: {count(n)}
                  </List.Item>
                ))}
            </List>
          </div>
        ))}
        <Button variant="default" onClick={save}>
          Save the receipt
        </Button>
        <Button onClick={leave}>Close</Button>
      </Stack>
    </Dialog>
  );
}
