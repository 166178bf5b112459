# Cortex-M0 (nRF51822) with Debian's arm-none-eabi GCC; only headers of its libstdc++ are used.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR cortex-m0)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(_flags "-Os -mcpu=cortex-m0 -mthumb -ffunction-sections -fdata-sections -fstack-usage")
set(CMAKE_C_FLAGS_INIT "${_flags}")
# What GCC's -Os still does although it makes code bigger on a chip with so few registers.
set(_small "-fno-ivopts -fno-gcse -fno-tree-loop-distribute-patterns")
# Link-time optimisation, as firmware would use it. Functions that are called once stay what they
# are: one frame of kilobytes is further than an instruction reaches. The objects are fat, so that
# tools/size can look at the archives too.
set(_lto "-flto -ffat-lto-objects -flto-partition=one -fno-inline-functions-called-once")
set(CMAKE_CXX_FLAGS_INIT "${_flags} ${_small} ${_lto} -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-use-cxa-atexit")
# Debian's big libstdc++ archive is not needed: libgcc and the small C library are named by hand.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostdlib -nostartfiles -Wl,--gc-sections")
set(CMAKE_C_STANDARD_LIBRARIES "-lgcc -lc_nano -lgcc")
set(CMAKE_CXX_STANDARD_LIBRARIES "-lgcc -lc_nano -lgcc")
