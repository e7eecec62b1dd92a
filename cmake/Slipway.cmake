# What every target shares, and the two functions that the folders' CMakeLists.txt are written in.

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED COMPONENTS core)
find_package(CLI11 CONFIG REQUIRED)

add_library(slipway_options INTERFACE)
target_include_directories(slipway_options INTERFACE ${PROJECT_SOURCE_DIR}/operator)
target_compile_options(slipway_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Wimplicit-fallthrough
  -Wno-sign-conversion -Wno-missing-field-initializers -Wno-missing-designated-field-initializers -Werror)
target_compile_definitions(slipway_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_DISABLE_BOOST_COROUTINE)
target_link_options(slipway_options INTERFACE -fuse-ld=lld)
if(SLIPWAY_SANITIZE)
  target_compile_options(slipway_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g1)
  target_link_options(slipway_options INTERFACE -fsanitize=address,undefined)
else()
  target_compile_options(slipway_options INTERFACE -ffunction-sections -fdata-sections)
  target_link_options(slipway_options INTERFACE -Wl,--gc-sections -Wl,--icf=safe -Wl,-s -static-libstdc++ -static-libgcc)
endif()

# slipway_library(NAME DEPS a b LINK x::y): one folder, one library. DEPS are sibling folders; LINK is what
# comes from outside. `hack/verify layers` holds the includes of each folder against these DEPS.
function(slipway_library name)
  cmake_parse_arguments(ARG "" "" "DEPS;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  if(NOT sources)
    add_library(slipway_${name} INTERFACE)
    set(scope INTERFACE)
  else()
    add_library(slipway_${name} STATIC ${sources})
    set(scope PUBLIC)
  endif()
  list(TRANSFORM ARG_DEPS PREPEND slipway_)
  target_link_libraries(slipway_${name} ${scope} slipway_options ${ARG_DEPS} ${ARG_LINK})
endfunction()

# slipway_test(NAME LAYER layer DEPS a b): one binary of GoogleTest cases, labelled with its layer. BY_SUITE: a
# suite is run as a whole, because its cases share what takes long to make. Of the e2e layer's binaries each works
# in namespaces of its own, so they run side by side, and the suites of one in turn; ALONE names the suites that
# disturb others (they kill the operator) or that measure time. LAST: its suites run when those of every other e2e
# binary are over, however they went.
function(slipway_test name)
  cmake_parse_arguments(ARG "BY_SUITE;LAST" "LAYER;TIMEOUT;ALONE" "DEPS;SOURCES;LINK" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  list(TRANSFORM ARG_DEPS PREPEND slipway_)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} ${ARG_LINK} slipway_options GTest::gmock GTest::gtest_main)
  set(lock)
  if(ARG_LAYER STREQUAL e2e)
    set(lock RESOURCE_LOCK ${name})
    if(ARG_LAST)
      list(APPEND lock FIXTURES_CLEANUP e2e_run)
    else()
      list(APPEND lock FIXTURES_REQUIRED e2e_run)
    endif()
  endif()
  if(NOT ARG_BY_SUITE)
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
      PROPERTIES LABELS ${ARG_LAYER} TIMEOUT ${ARG_TIMEOUT} ${lock})
    return()
  endif()
  set(suites)
  foreach(source ${ARG_SOURCES})
    file(STRINGS ${source} cases REGEX "^TEST(_F)?\\(")
    foreach(case ${cases})
      string(REGEX REPLACE "^TEST(_F)?\\(([A-Za-z0-9]+),.*" "\\2" suite "${case}")
      list(APPEND suites ${suite})
    endforeach()
  endforeach()
  list(REMOVE_DUPLICATES suites)
  foreach(suite ${suites})
    add_test(NAME ${name}.${suite} COMMAND ${name} --gtest_filter=${suite}.* --gtest_brief=1)
    set_tests_properties(${name}.${suite} PROPERTIES LABELS ${ARG_LAYER} TIMEOUT ${ARG_TIMEOUT} ${lock})
    if(ARG_ALONE AND suite MATCHES "${ARG_ALONE}")
      set_tests_properties(${name}.${suite} PROPERTIES RUN_SERIAL TRUE)
    endif()
  endforeach()
endfunction()
