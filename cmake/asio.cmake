# Boost.Asio, compiled once: every user sees declarations only.
find_package(Boost 1.81 REQUIRED)
find_package(Threads REQUIRED)
add_library(sotto_asio STATIC EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/cmake/asio.cpp)
target_compile_features(sotto_asio PUBLIC cxx_std_20)
target_compile_definitions(sotto_asio PUBLIC BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(sotto_asio PUBLIC Boost::headers Threads::Threads)
