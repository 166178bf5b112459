// SPDX-License-Identifier: Apache-2.0
// A central of the virtual air: every `*.sock` in a folder is a device in reach. Allocates; never
// blocks; everything happens in the thread that runs the io_context.
#pragma once

#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "air/central.hpp"
#include "core/framing/limits.hpp"

namespace sotto::air {

class VirtualCentral final : public Central {
  public:
    // `value_size_max`: the largest values that are taken, kValueSizeDefault to kValueSizeMax.
    // `takes_bluz`: devices of the bluz service are found and connected, too.
    VirtualCentral(boost::asio::io_context& loop,
                   std::string folder,
                   std::size_t value_size_max = framing::kValueSizeDefault,
                   bool takes_bluz = false);

    // Whoever is not welcome is not found when he is asked.
    void set_is_welcome(IsWelcome is_welcome) override { is_welcome_ = std::move(is_welcome); }
    std::vector<Place> places() override;
    // It asks all of them, which takes a moment.
    void scan(Duration limit, IsWanted is_wanted, ScanDone done) override;
    std::unique_ptr<Link> connect(const Place& place,
                                  LinkHandler& handler,
                                  Duration patience) override;

  private:
    boost::asio::io_context& loop_;
    std::string folder_;
    std::size_t value_size_max_;
    bool takes_bluz_;
    IsWelcome is_welcome_;
};

}  // namespace sotto::air
