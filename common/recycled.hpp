// A base for types of which one is made and gone for every request: their memory is kept for the next one.
//
// For objects of exactly `Derived`. One thread of the process may make and end them. Under a sanitizer every object has
// memory of its own, so that a use after the end is seen.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace yolod::common {

template <typename Derived>
class Recycled {
 public:
  static void* operator new(std::size_t bytes) {
    auto& spare = kept();
    if (bytes != sizeof(Derived) || spare.places.empty()) return ::operator new(bytes);
    void* const place = spare.places.back();
    spare.places.pop_back();
    return place;
  }
  static void operator delete(void* place, std::size_t bytes) {
    auto& spare = kept();
    if (bytes == sizeof(Derived) && spare.places.size() < kMost) {
      spare.places.push_back(place);
    } else {
      ::operator delete(place);
    }
  }

 private:
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr std::size_t kMost = 0;
#else
  static constexpr std::size_t kMost = 256;
#endif
  struct Spare {
    std::vector<void*> places;
    Spare() { places.reserve(kMost); }
    ~Spare() {
      for (void* const place : places) ::operator delete(place);
    }
  };
  static Spare& kept() {
    static Spare spare;
    return spare;
  }
};

}  // namespace yolod::common
