// Independent tasks on a few threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace radiogenomics {

// Calls work(task) once for each task below `tasks`. Which thread takes which task is left open, so
// tasks write to places of their own. The first exception is thrown again here.
template <class Work>
void for_each_task(std::int64_t tasks, std::int64_t threads, const Work& work) {
  std::atomic<std::int64_t> next{0};
  std::exception_ptr failure;
  std::mutex guard;
  const auto drain = [&] {
    try {
      for (std::int64_t task = next++; task < tasks; task = next++) work(task);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(guard);
      if (!failure) failure = std::current_exception();
      next = tasks;
    }
  };
  std::vector<std::thread> others;
  others.reserve(static_cast<std::size_t>(threads - 1));
  try {
    while (static_cast<std::int64_t>(others.size()) < threads - 1) others.emplace_back(drain);
  } catch (const std::system_error&) {
    // The system gives no more threads: those there are do the work.
  }
  drain();
  for (std::thread& other : others) other.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace radiogenomics
