// Running-sum statistics of many gene sets down many rankings, and the strongest of many links.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace py = pybind11;

namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style>;

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

// pybind11 hands an array over wherever it lies, also between two places for a T.
template <class T>
void require_aligned(const Array<T>& array) {
  require(reinterpret_cast<std::uintptr_t>(array.data()) % alignof(T) == 0,
          "expected arrays that are aligned");
}

// Whether all |values| are at most that: not one that is missing is.
template <class T>
bool all_within(const T* values, std::int64_t count, T most) {
  // As wide as the numbers, and without a way out, for the compiler to take several at a time.
  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t> beyond = 0;
  for (std::int64_t at = 0; at < count; ++at) beyond |= !(std::abs(values[at]) <= most);
  return beyond == 0;
}

// Keys that rise where the floats fall, so that an ascending sort puts the largest first.
std::uint32_t falling_key(float value) {
  std::uint32_t bits;
  // -0.0 and 0.0 are one value; adding 0 makes them one pattern.
  value += 0.0f;
  std::memcpy(&bits, &value, sizeof bits);
  return (bits & 0x80000000u) ? bits : ~bits & 0x7fffffffu;
}

// Genes from the largest value to the smallest; equal values stay in the order of the genes.
class Sorter {
 public:
  explicit Sorter(std::size_t genes) : keys_(genes), order_(genes), spare_(genes) {}

  const std::vector<std::int32_t>& sort(const float* values) {
    constexpr int kDigits = 3, kBits = 11, kBuckets = 1 << kBits;
    std::array<std::array<std::uint32_t, kBuckets>, kDigits> counts{};
    const std::size_t genes = keys_.size();
    for (std::size_t gene = 0; gene < genes; ++gene) {
      const std::uint32_t key = falling_key(values[gene]);
      keys_[gene] = key;
      for (int digit = 0; digit < kDigits; ++digit)
        ++counts[digit][(key >> (digit * kBits)) & (kBuckets - 1)];
    }
    std::iota(order_.begin(), order_.end(), 0);
    for (int digit = 0; digit < kDigits; ++digit) {
      std::uint32_t place = 0;
      for (std::uint32_t& count : counts[digit]) {
        const std::uint32_t here = count;
        count = place;
        place += here;
      }
      for (const std::int32_t gene : order_) {
        const std::uint32_t bucket = (keys_[gene] >> (digit * kBits)) & (kBuckets - 1);
        spare_[counts[digit][bucket]++] = gene;
      }
      order_.swap(spare_);
    }
    return order_;
  }

  const std::vector<std::int32_t>& sort(const double* values) {
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(order_.begin(), order_.end(), [values](std::int32_t a, std::int32_t b) {
      return values[a] > values[b];
    });
    return order_;
  }

 private:
  std::vector<std::uint32_t> keys_;
  std::vector<std::int32_t> order_, spare_;
};

template <class T>
T weight_of(T value, double power) {
  const T size = std::abs(value);
  if (power == 1.0) return size;
  if (power == 0.0) return T(1);
  return static_cast<T>(std::pow(size, power));
}

// Which sets a gene is in, as slices of one list; and where the members of a set are put down.
struct Membership {
  std::vector<std::int32_t> start;   // genes + 1
  std::vector<std::int32_t> set_of;  // members
  std::vector<std::int32_t> first;   // sets + 1
};

// A member gene: where it stands in the ranking, and the weight of the set's members down to it.
template <class T>
struct Member {
  T sum;
  std::int32_t place;
};

// Room for the members of every set in the order of a ranking: in the order of the genes first, then
// set after set.
template <class T>
struct Ranked {
  std::vector<T> weight;              // of each place
  std::vector<std::int32_t> set_of;   // of each member, as the genes come
  std::vector<std::int32_t> place_of;
  std::vector<Member<T>> members;
  std::vector<Member<T>> last;        // of each set: weight so far, and where the next one goes
};

// Members copied at a time, wanted or not: a loop of this length costs less than a guess how long
// the list of a gene is. Lists end with as many places to spare.
constexpr std::int32_t kStride = 8;

template <class T>
void take_higher(T value, T& best) {
  best = best < value ? value : best;
}

// Farthest from 0 of a sum that rises at the members of a set and falls at all other genes. It only
// falls between two members, so that it is highest at one, and lowest just before one.
template <class T>
T farthest(const Member<T>* members, std::int32_t size, std::int32_t genes) {
  // Several maxima side by side, so that none waits for the one before.
  constexpr std::int32_t kLanes = 8;
  const T total = members[size - 1].sum;
  // Members that have no weight at all count alike.
  const bool even = !(total > 0);
  const T gain = 1 / (even ? static_cast<T>(size) : total);
  require(total <= std::numeric_limits<T>::max() && gain <= std::numeric_limits<T>::max(),
          "expected weights whose sum can be computed");
  const T loss = 1 / static_cast<T>(genes - size);
  const auto risen = [&](std::int32_t at) {
    return gain * (even ? static_cast<T>(at + 1) : members[at].sum);
  };
  T top[kLanes] = {}, depth[kLanes] = {};
  take_higher(static_cast<T>(members[0].place) * loss, depth[0]);
  take_higher(risen(0) - static_cast<T>(members[0].place) * loss, top[0]);
  std::int32_t at = 1;
  for (; !even && at + kLanes <= size; at += kLanes) {
    for (std::int32_t lane = 0; lane < kLanes; ++lane) {
      const Member<T>& here = members[at + lane];
      const T fallen = static_cast<T>(here.place - at - lane) * loss;
      take_higher(fallen - gain * members[at + lane - 1].sum, depth[lane]);
      take_higher(gain * here.sum - fallen, top[lane]);
    }
  }
  for (; at < size; ++at) {
    const T fallen = static_cast<T>(members[at].place - at) * loss;
    take_higher(fallen - risen(at - 1), depth[0]);
    take_higher(risen(at) - fallen, top[0]);
  }
  const T highest = *std::max_element(top, top + kLanes);
  const T deepest = *std::max_element(depth, depth + kLanes);
  return highest >= deepest ? highest : -deepest;
}

template <class T>
void list_members(const T* values, const std::vector<std::int32_t>& order, const Membership& sets,
                  double power, Ranked<T>& ranked) {
  const auto genes = static_cast<std::int32_t>(order.size());
  std::int32_t* set_to = ranked.set_of.data();
  std::int32_t* place_to = ranked.place_of.data();
  for (std::int32_t place = 0; place < genes; ++place) {
    const std::int32_t gene = order[place];
    ranked.weight[place] = weight_of(values[gene], power);
    const std::int32_t members = sets.start[gene + 1] - sets.start[gene];
    const std::int32_t* from = sets.set_of.data() + sets.start[gene];
    std::int32_t done = 0;
    do {
      for (std::int32_t lane = 0; lane < kStride; ++lane) set_to[done + lane] = from[done + lane];
      for (std::int32_t lane = 0; lane < kStride; ++lane) place_to[done + lane] = place;
      done += kStride;
    } while (done < members);
    set_to += members;
    place_to += members;
  }
}

template <class T>
void walk_row(const T* values, const std::vector<std::int32_t>& order, const Membership& sets,
              double power, Ranked<T>& ranked, T* found) {
  const auto genes = static_cast<std::int32_t>(order.size());
  const auto count = static_cast<std::int32_t>(ranked.last.size());
  list_members(values, order, sets, power, ranked);
  for (std::int32_t set = 0; set < count; ++set) ranked.last[set] = {T(0), sets.first[set]};
  const std::int32_t members = sets.start[genes];
  for (std::int32_t at = 0; at < members; ++at) {
    Member<T>& last = ranked.last[ranked.set_of[at]];
    const std::int32_t place = ranked.place_of[at];
    last.sum += ranked.weight[place];
    ranked.members[last.place++] = {last.sum, place};
  }
  for (std::int32_t set = 0; set < count; ++set) {
    const std::int32_t from = sets.first[set];
    found[set] = farthest(ranked.members.data() + from, sets.first[set + 1] - from, genes);
  }
}

Membership membership(const Array<std::int64_t>& start, const Array<std::int32_t>& set_of,
                      std::int64_t genes, std::int64_t sets) {
  require(start.ndim() == 1 && set_of.ndim() == 1 && start.shape(0) == genes + 1,
          "expected one start for each gene, and the end");
  require(genes < INT32_MAX && set_of.shape(0) < INT32_MAX - kStride,
          "expected fewer than 2^31 genes and members");
  require(sets > 0 && sets <= set_of.shape(0), "expected sets of at least one gene");
  require_aligned(start);
  require_aligned(set_of);
  // Copies: another thread that writes to the caller's arrays can spoil numbers but no memory.
  const std::vector<std::int64_t> starts(start.data(), start.data() + genes + 1);
  Membership found;
  found.set_of.assign(set_of.data(), set_of.data() + set_of.shape(0));
  require(starts.front() == 0 && starts.back() == set_of.shape(0),
          "expected starts from 0 to the number of members");
  for (std::int64_t gene = 0; gene < genes; ++gene)
    require(starts[gene] <= starts[gene + 1], "expected starts that do not fall");
  found.start.assign(starts.begin(), starts.end());
  found.first.assign(static_cast<std::size_t>(sets) + 1, 0);
  std::vector<std::int32_t> latest(static_cast<std::size_t>(sets), -1);
  for (std::int32_t gene = 0; gene < genes; ++gene) {
    for (std::int32_t at = found.start[gene]; at < found.start[gene + 1]; ++at) {
      const std::int32_t set = found.set_of[at];
      require(set >= 0 && set < sets, "expected sets numbered from 0");
      require(latest[set] != gene, "expected each gene once in a set");
      latest[set] = gene;
      ++found.first[set + 1];
    }
  }
  for (std::int64_t set = 0; set < sets; ++set) {
    const std::int32_t size = found.first[set + 1];
    require(size > 0 && size < genes, "expected sets of at least one gene, and a gene outside");
    found.first[set + 1] += found.first[set];
  }
  found.set_of.resize(found.set_of.size() + kStride, 0);
  return found;
}

template <class T>
Array<T> enrichment(const Array<T>& rankings, const Array<std::int64_t>& start,
                    const Array<std::int32_t>& set_of, std::int64_t sets, double power) {
  require(rankings.ndim() == 2 && rankings.shape(1) > 0, "expected rankings (rows, genes)");
  require(power >= 0 && std::isfinite(power), "expected a power of at least 0");
  require_aligned(rankings);
  const std::int64_t rows = rankings.shape(0), genes = rankings.shape(1);
  const Membership member = membership(start, set_of, genes, sets);
  Array<T> found({rows, sets});
  const T* values = rankings.data();
  T* results = found.mutable_data();
  {
    const py::gil_scoped_release release;
    Sorter sorter(static_cast<std::size_t>(genes));
    const std::size_t members = member.set_of.size();
    Ranked<T> ranked{std::vector<T>(static_cast<std::size_t>(genes)),
                     std::vector<std::int32_t>(members),
                     std::vector<std::int32_t>(members),
                     std::vector<Member<T>>(members),
                     std::vector<Member<T>>(static_cast<std::size_t>(sets))};
    for (std::int64_t row = 0; row < rows; ++row) {
      const T* here = values + row * genes;
      require(all_within(here, genes, std::numeric_limits<T>::max()),
              "expected rankings that are finite");
      walk_row(here, sorter.sort(here), member, power, ranked, results + row * sets);
    }
  }
  return found;
}

bool apart(const Array<float>& one, const Array<float>& other) {
  const std::less_equal<const float*> before;
  return before(one.data() + one.size(), other.data()) ||
         before(other.data() + other.size(), one.data());
}

// Largest absolute value of each row; `strongest` is raised to the absolute values, place by place.
Array<float> raise_to(const Array<float>& values, Array<float>& strongest) {
  require(values.ndim() == 2 && strongest.ndim() == 2 && values.shape(0) == strongest.shape(0) &&
              values.shape(1) == strongest.shape(1) && values.shape(1) > 0,
          "expected two tables of one shape, with columns");
  require_aligned(values);
  require_aligned(strongest);
  require(apart(values, strongest), "expected two tables that share no memory");
  const std::int64_t rows = values.shape(0), columns = values.shape(1);
  Array<float> largest(rows);
  const float* from = values.data();
  float* to = strongest.mutable_data();
  float* most = largest.mutable_data();
  const py::gil_scoped_release release;
  require(all_within(from, rows * columns, std::numeric_limits<float>::infinity()),
          "expected values, none missing");
  for (std::int64_t row = 0; row < rows; ++row) {
    float top = 0;
    for (std::int64_t at = row * columns; at < (row + 1) * columns; ++at) {
      const float size = std::abs(from[at]);
      to[at] = to[at] < size ? size : to[at];
      top = top < size ? size : top;
    }
    most[row] = top;
  }
  return largest;
}

}  // namespace

PYBIND11_MODULE(_kernels, module) {
  module.doc() = "Compiled kernels of radiogenomics.stats.association; arrays in, arrays out.";
  module.def("enrichment_f4", &enrichment<float>, py::arg("rankings").noconvert(),
             py::arg("start").noconvert(), py::arg("set_of").noconvert(), py::arg("sets"),
             py::arg("power"));
  module.def("enrichment_f8", &enrichment<double>, py::arg("rankings").noconvert(),
             py::arg("start").noconvert(), py::arg("set_of").noconvert(), py::arg("sets"),
             py::arg("power"));
  module.def("raise_to", &raise_to, py::arg("values").noconvert(),
             py::arg("strongest").noconvert());
}
