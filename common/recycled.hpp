// A base class for types that are created and destroyed with every request. It keeps their memory for the next object
// of the same type.
//
// Use it only for objects of exactly the type `Derived`, on one thread of the process. Under a sanitizer every object
// gets new memory, so that the sanitizer detects a use after destruction.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#include "common/sanitizers.hpp"

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
  static constexpr std::size_t kMost = kSanitized ? 0 : 256;
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
