// SPDX-License-Identifier: Apache-2.0
#include "air/virtual/virtual_central.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "air/virtual/knock.hpp"
#include "air/virtual/virtual_link.hpp"
#include "core/framing/air_operation.hpp"

namespace sotto::air {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using boost::system::error_code;

namespace {

// Knocks at every place, some at a time.
class Scan : public std::enable_shared_from_this<Scan> {
  public:
    Scan(asio::io_context& loop, std::vector<Place> places, Wanted wanted, Central::ScanDone done)
        : loop_(loop),
          timer_(loop),
          places_(std::move(places)),
          wanted_(std::move(wanted)),
          done_(std::move(done)) {}

    void start(Duration limit) {
        timer_.expires_after(std::chrono::milliseconds{limit.ms});
        timer_.async_wait([self = shared_from_this()](error_code error) {
            if (!error) self->finish();
        });
        asio::post(loop_, [self = shared_from_this()] { self->knock(); });
    }

  private:
    void knock() {
        while (next_ < places_.size() && under_way_.size() < kKnocksMax) {
            const Place& place = places_[next_++];
            under_way_[place] = Knock::start(
                loop_, place, wanted_, [self = shared_from_this(), place](Knock::Answer answer) {
                    self->on_answer(place, std::move(answer));
                });
        }
        if (under_way_.empty()) finish();
    }

    void on_answer(const Place& place, Knock::Answer answer) {
        under_way_.erase(place);
        if (auto* heard = std::get_if<Knock::Heard>(&answer)) {
            heard->stream->close();
            sightings_.push_back(std::move(heard->sighting));
        }
        knock();
    }

    void finish() {
        if (done_ == nullptr) return;
        timer_.cancel();
        for (const auto& [place, knock] : std::exchange(under_way_, {})) knock->cancel();
        next_ = places_.size();
        std::sort(sightings_.begin(), sightings_.end(), [](const Sighting& a, const Sighting& b) {
            return a.place < b.place;
        });
        std::exchange(done_, nullptr)(std::move(sightings_));
    }

    asio::io_context& loop_;
    asio::steady_timer timer_;
    std::vector<Place> places_;
    Wanted wanted_;
    Central::ScanDone done_;
    std::size_t next_ = 0;
    std::map<Place, std::shared_ptr<Knock>> under_way_;
    std::vector<Sighting> sightings_;
};

}  // namespace

VirtualCentral::VirtualCentral(asio::io_context& loop,
                               std::string folder,
                               std::size_t value_size_max,
                               bool takes_bluz)
    : loop_(loop),
      folder_(std::move(folder)),
      value_size_max_(framing::agreed_value_size(value_size_max, framing::kValueSizeMax)),
      takes_bluz_(takes_bluz) {}

std::vector<Place> VirtualCentral::places() {
    std::vector<Place> places;
    std::error_code error;
    for (fs::directory_iterator it{folder_, error}, end; !error && it != end; it.increment(error)) {
        if (it->path().extension() != ".sock") continue;
        std::error_code gone;
        if (it->is_socket(gone) && places.size() < kPlacesMax)
            places.push_back(it->path().string());
    }
    std::sort(places.begin(), places.end());
    return places;
}

void VirtualCentral::scan(Duration limit, IsWanted /*is_wanted*/, ScanDone done) {
    const Wanted wanted{.takes_bluz = takes_bluz_, .is_welcome = is_welcome_};
    std::make_shared<Scan>(loop_, places(), wanted, std::move(done))->start(limit);
}

std::unique_ptr<Link> VirtualCentral::connect(const Place& place,
                                              LinkHandler& handler,
                                              Duration patience) {
    return std::make_unique<VirtualLink>(
        loop_,
        VirtualLink::Options{place, {value_size_max_, takes_bluz_, is_welcome_}, patience},
        handler);
}

}  // namespace sotto::air
