import { notifications } from "@mantine/notifications";
import { messageOf } from "@/api/error";

const SHORT_MS = 6_000;
const LONG_MS = 12_000;

export const toast = {
  done: (message: string) => notifications.show({ message, color: "iris", autoClose: SHORT_MS }),
  failed: (message: string) => notifications.show({ message, color: "red", autoClose: LONG_MS }),

  /** Says at once what is being done, and then what the server decided. */
  async follow<T>(doing: string, work: Promise<T>, done: (result: T) => string): Promise<T> {
    const id = notifications.show({ message: doing, loading: true, autoClose: false, withCloseButton: false });
    try {
      const result = await work;
      const message = done(result);
      notifications.update({ id, message, loading: false, color: "iris", autoClose: SHORT_MS, withCloseButton: true });
      return result;
    } catch (error) {
      const message = messageOf(error);
      notifications.update({ id, message, loading: false, color: "red", autoClose: LONG_MS, withCloseButton: true });
      throw error;
    }
  },
};
