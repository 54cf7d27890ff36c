/** A thread that repeats what it hears, and ends at the word `die`. */
import { answerRequests } from '../../engine/journal/thread.ts';

answerRequests<string, string>((word) => {
  if (word === 'die') process.exit();
  return word;
});
