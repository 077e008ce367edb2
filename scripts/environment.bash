# Part of ./dev, which sources it: finds or makes the environment in which the nodes run.
# It knows nothing of the commands. From ./dev it uses ROOT, COMMAND, say, die and step.
# shellcheck shell=bash

fingerprint() { sha256sum | cut -d ' ' -f 1; }
is_stamped() { [ "$(cat "$PLACE/stamps/$1" 2>/dev/null)" = "$2" ]; }
stamp() { printf '%s\n' "$2" >"$PLACE/stamps/$1"; }

# --- system packages

install_system() {  # PACKAGE...
    local as_root=()
    local line="apt-get update && apt-get install -y --no-install-recommends $*"
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then as_root=(sudo -n); else as_root=(none); fi
    fi
    if ! command -v apt-get >/dev/null; then
        die "these system packages (names as in Debian) are needed; please install them and start again: $*"
    elif [ "${as_root[0]:-}" = none ]; then
        die "system packages are missing and this user may not install them. Please run
    sudo sh -c '$line'
and start again"
    fi
    mkdir -p "$ROOT/.dev"
    step "System packages: $*" "$ROOT/.dev/apt.log" \
        flock "$ROOT/.dev/apt.lock" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive sh -c "$line"
}

# --- which ROS, which Python

OURS=(PATH VIRTUAL_ENV PYTHONPATH PYTHONHOME LD_LIBRARY_PATH AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH
    ROS_DISTRO ROS_VERSION ROS_PYTHON_VERSION RMW_IMPLEMENTATION _ROS_WHEELS_BOOTSTRAP_COMPLETE)

# ./dev inside ./dev shell or ./dev run starts from what was there outside; our own wheels are not a sourced distro.
keep_outer_environment() {
    local name
    for name in "${OURS[@]}"; do
        unset "DAM_DEV_OUTER_$name"
        if [ -n "${!name+set}" ]; then export "DAM_DEV_OUTER_$name=${!name}"; fi
    done
    export DAM_DEV_INSIDE=1
}

restore_outer_environment() {
    local name outer
    if [ -z "${DAM_DEV_INSIDE:-}" ]; then return; fi
    for name in "${OURS[@]}"; do
        outer=DAM_DEV_OUTER_$name
        if [ -n "${!outer+set}" ]; then export "$name=${!outer}"; else unset "$name"; fi
    done
}

choose_ros() {
    restore_outer_environment
    if [ -n "${ROS_DISTRO:-}" ] && [ -n "${AMENT_PREFIX_PATH:-}" ]; then
        KIND=sourced DISTRO=$ROS_DISTRO
        if [ "${DAM_ROS_DISTRO:-$DISTRO}" != "$DISTRO" ]; then
            die "ROS 2 $DISTRO is sourced, but DAM_ROS_DISTRO is $DAM_ROS_DISTRO. Unset it, or take a new shell"
        fi
        return
    fi
    KIND=wheels DISTRO=${DAM_ROS_DISTRO:-jazzy}
    if [[ $DISTRO != jazzy && $DISTRO != kilted ]]; then
        die "DAM_ROS_DISTRO is '$DISTRO'; allowed without a sourced ROS 2: jazzy, kilted. Install and source any other"
    fi
    if [ "$(uname -sm)" != 'Linux x86_64' ]; then
        die "no ROS 2 is sourced, and its Python wheels exist for Linux on x86_64 only (this is $(uname -sm)).
Install ROS 2, then:  source /opt/ros/<distro>/setup.bash && ./dev ${COMMAND}
docs/install.md says how, for Jetson too"
    fi
}

# Prints version, place of rclpy (sourced only) and base interpreter of a Python that will do.
probe_python() {
    "$1" - "$KIND" 2>/dev/null <<'PY'
import ensurepip, sys, sysconfig, venv
version, place = sys.version_info[:2], '-'
if sys.argv[1] == 'sourced':
    import rclpy
    place = rclpy.__file__
elif not (3, 10) <= version <= (3, 13) or sys.implementation.name != 'cpython':
    sys.exit(1)
elif sysconfig.get_config_var('Py_GIL_DISABLED'):
    sys.exit(1)
print('%d.%d' % version, place, getattr(sys, '_base_executable', None) or sys.executable)
PY
}

find_python() {
    local candidate found candidates=(python3 /usr/bin/python3 python3.12 python3.11 python3.13 python3.10
        "${HOME:-}"/.pyenv/versions/3.1[0-3]*/bin/python3
        "${HOME:-}"/.local/share/uv/python/cpython-3.1[0-3]*/bin/python3)
    if [ -n "${DAM_PYTHON:-}" ]; then candidates=("$DAM_PYTHON"); fi
    for candidate in "${candidates[@]}"; do
        if command -v "$candidate" >/dev/null && found=$(probe_python "$candidate"); then
            read -r PYTHON_VERSION RCLPY PYTHON <<<"$found"
            return 0
        fi
    done
    return 1
}

choose_python() {
    if find_python; then return; fi
    if [ -n "${DAM_PYTHON:-}" ]; then
        die "DAM_PYTHON is $DAM_PYTHON; allowed: a Python with venv and ensurepip, without ROS 2 from 3.10 to 3.13"
    fi
    install_system python3 python3-venv
    if find_python; then return; fi
    if [ "$KIND" = sourced ]; then
        die "ROS 2 $DISTRO is sourced, but no python3 here imports rclpy. Install ros-$DISTRO-rclpy or set DAM_PYTHON"
    fi
    die 'no Python 3.10 to 3.13 found, and only for these are there ROS 2 wheels. Install one, or set DAM_PYTHON to it'
}

# --- the environment

check_system() {
    local missing=()
    command -v g++ >/dev/null || missing+=(g++)
    command -v make >/dev/null || missing+=(make)
    command -v cmake >/dev/null || missing+=(cmake)
    command -v espeak-ng >/dev/null || missing+=(espeak-ng)
    "$PYTHON" -c 'import os, sysconfig as s; os.stat(s.get_path("include") + "/Python.h")' 2>/dev/null \
        || missing+=("python$PYTHON_VERSION-dev")
    if [ "$KIND" = sourced ] && [ "$PYTHON" -ef /usr/bin/python3 ]; then
        "$PYTHON" -c 'import cv2' 2>/dev/null || missing+=(python3-opencv)
    fi
    if ((${#missing[@]})); then install_system "${missing[@]}"; fi
    command -v aplay >/dev/null || say 'note: nothing can be heard here without alsa-utils (aplay); files are written'
}

venv_pip() { env -u LD_LIBRARY_PATH PIP_DISABLE_PIP_VERSION_CHECK=1 "$PLACE/venv/bin/python" -m pip "$@"; }

fresh_venv() {
    rm -rf "$PLACE/venv"
    if [ "$KIND" = sourced ]; then
        "$PYTHON" -m venv --system-site-packages "$PLACE/venv"
    else
        "$PYTHON" -m venv "$PLACE/venv"
    fi
}

# What pip may not touch: a distro's numpy, and in any case the versions pinned for building.
write_constraints() {
    if [ "$KIND" = sourced ]; then
        "$PLACE/venv/bin/python" -c 'import numpy; print("numpy==" + numpy.__version__)' 2>/dev/null && return
    fi
    cat "$ROOT/requirements/python.txt"
}

install_base() {
    local files=(-r "$ROOT/requirements/run.txt")
    write_constraints >"$PLACE/constraints.txt"
    if [ "$KIND" = wheels ]; then
        files+=(-r "$ROOT/requirements/python.txt" -r "$ROOT/requirements/build.txt")
        files+=(-r "$ROOT/requirements/$DISTRO.txt")
    else
        command -v colcon >/dev/null || files+=(-r "$ROOT/requirements/build.txt")
        "$PLACE/venv/bin/python" -c 'import cv2, numpy' 2>/dev/null || files+=(-r "$ROOT/requirements/python.txt")
    fi
    venv_pip install --no-compile -c "$PLACE/constraints.txt" "${files[@]}"
    share_equal_libraries
}

# The wheels cannot hold links and carry each library up to eight times.
share_equal_libraries() {
    local sum file last='' kept=''
    find "$PLACE/venv/lib" -name '*.so*' -type f -size +100k -exec md5sum {} + | sort | while read -r sum file; do
        if [ "$sum" = "$last" ]; then ln -f "$kept" "$file"; else last=$sum kept=$file; fi
    done
}

need_venv() {
    local now
    now=$({ printf '%s\n' "$ROOT" "$KIND" "$DISTRO" "$PYTHON" "$RCLPY"; cat "$ROOT"/requirements/*.txt; } | fingerprint)
    ENVIRONMENT=$now
    if is_stamped venv "$now" && [ -x "$PLACE/venv/bin/python" ]; then return; fi
    check_system
    rm -f "$PLACE"/stamps/*
    step "A Python $PYTHON_VERSION environment for ROS 2 $DISTRO in ${PLACE#"$ROOT"/}" "$PLACE/log/venv.log" fresh_venv
    step 'Its packages (half a minute on a fast line)' "$PLACE/log/pip.log" install_base
    stamp venv "$now"
}

need_extra() {  # NAME: requirements/NAME.txt on top
    if is_stamped "$1" "$ENVIRONMENT"; then return; fi
    step "The packages for $1" "$PLACE/log/pip-$1.log" \
        venv_pip install --no-compile -c "$PLACE/constraints.txt" -r "$ROOT/requirements/$1.txt"
    stamp "$1" "$ENVIRONMENT"
}

has_nvidia() { [ -e /dev/nvidia0 ] || [ -e /dev/nvhost-gpu ] || [ -e /dev/nvgpu ] || nvidia-smi -L >/dev/null 2>&1; }

# torch for the machine: the one that is there; else pip's (CUDA) where there is an NVIDIA device, else the CPU build,
# asked for by its local version so that pip cannot slide into gigabytes of CUDA packages. PyTorch's own index is asked
# only where no other has that build: each index that cannot be reached costs pip minutes.
install_torch() {
    local wanted pip=(venv_pip install --no-compile -c "$PLACE/constraints.txt")
    wanted=$(grep '^torch==' "$ROOT/requirements/dam.txt")
    grep -v '^torch==' "$ROOT/requirements/dam.txt" >"$PLACE/beside-torch.txt"
    if "$PLACE/venv/bin/python" -c 'import torch' 2>/dev/null; then
        echo "torch==$("$PLACE/venv/bin/python" -c 'import torch; print(torch.__version__)')" >>"$PLACE/constraints.txt"
    elif [ -e /etc/nv_tegra_release ]; then
        echo "torch is missing, and pip's does not use a Jetson's GPU. Install NVIDIA's for this JetPack"
        return 1
    elif has_nvidia; then
        "${pip[@]}" "$wanted" || return
    else
        "${pip[@]}" "$wanted+cpu" || "${pip[@]}" "$wanted+cpu" --extra-index-url https://download.pytorch.org/whl/cpu \
            || return
    fi
    "${pip[@]}" -r "$PLACE/beside-torch.txt" -r "$ROOT/requirements/weights.txt"
}

need_torch() {
    if is_stamped dam "$ENVIRONMENT"; then return; fi
    step 'torch (200 MB without an NVIDIA device, some GB with one)' "$PLACE/log/pip-dam.log" install_torch || return 1
    stamp dam "$ENVIRONMENT"
}

need_torch_or_not() {
    if [ -n "${DAM_WITHOUT_TORCH:-}" ]; then return; fi
    if MAY_FAIL=1 need_torch; then return; fi
    say 'note: without torch the tests of the model are skipped'
}

enter_venv() {
    local folder
    keep_outer_environment
    export VIRTUAL_ENV=$PLACE/venv PATH=$PLACE/venv/bin:$PATH
    if [ "$KIND" = sourced ]; then return; fi
    unset PYTHONPATH COLCON_PREFIX_PATH PYTHONHOME
    export ROS_VERSION=2 ROS_PYTHON_VERSION=3 ROS_DISTRO=$DISTRO RMW_IMPLEMENTATION=rmw_fastrtps_cpp
    export AMENT_PREFIX_PATH=$VIRTUAL_ENV CMAKE_PREFIX_PATH=$VIRTUAL_ENV LD_LIBRARY_PATH=$VIRTUAL_ENV/lib
    for folder in "$VIRTUAL_ENV"/lib/python3.*/site-packages/ros_*.libs; do LD_LIBRARY_PATH+=:$folder; done
    export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1  # else the wheels start every interpreter twice to set the library path
}

PACKAGE=(CMakeLists.txt package.xml action config dam_ros launch msg scripts srv)  # what the build reads

for_wheels() {  # sets cmake_args
    local prefix
    for prefix in ${AMENT_PREFIX_PATH//:/ }; do
        if compgen -G "$prefix/lib/python3*/site-packages/ros_wheels_bootstrapper" >/dev/null; then
            cmake_args=(--cmake-args "-DCMAKE_PROJECT_INCLUDE=$ROOT/scripts/wheels.cmake")
        fi
    done
}

build() {
    local cmake_args=() item
    for_wheels
    # Built from a folder of links: CMake exports no target whose include folders (numpy's, in our venv) lie below
    # its source folder.
    rm -rf "$PLACE/source"
    mkdir "$PLACE/source"
    for item in "${PACKAGE[@]}"; do ln -s "$ROOT/$item" "$PLACE/source/$item"; done
    colcon --log-base "$PLACE/log/colcon" build --base-paths "$PLACE/source" --build-base "$PLACE/build" \
        --install-base "$PLACE/install" --symlink-install --event-handlers console_direct+ "${cmake_args[@]}"
    find "$PLACE/install" -xtype l -delete  # links to files that are gone
    find "$PLACE/build" -name '*.o' -delete  # 9 MB that only the next change of an interface would need
}

need_build() {
    local now  # Python files are linked: what is in them may change, which there are may not
    now=$({ echo "$ENVIRONMENT"; cd "$ROOT" || exit
        cat CMakeLists.txt package.xml scripts/wheels.cmake msg/* srv/* action/*
        find "${PACKAGE[@]}" -name __pycache__ -prune -o -type f -print | sort; } | fingerprint)
    if is_stamped build "$now" && [ -f "$PLACE/install/local_setup.bash" ]; then return; fi
    step 'Building the package (under a minute)' "$PLACE/log/build.log" build
    stamp build "$now"
}

# --- other people's interfaces, for tests: tests/interfaces/README.md

missing_interfaces() {
    local folder prefix name
    for folder in "$ROOT"/tests/interfaces/*/; do
        name=$(basename "$folder")
        for prefix in ${AMENT_PREFIX_PATH//:/ }; do
            if [ -f "$prefix/share/$name/package.xml" ]; then continue 2; fi
        done
        echo "$name"
    done
}

build_interfaces() {  # NAME...
    local cmake_args=()
    for_wheels
    rm -rf "$PLACE/interfaces" "$PLACE/build-interfaces"
    colcon --log-base "$PLACE/log/colcon" build --paths "${@/#/$ROOT/tests/interfaces/}" --merge-install \
        --build-base "$PLACE/build-interfaces" --install-base "$PLACE/interfaces" \
        --event-handlers console_direct+ "${cmake_args[@]}"
    rm -rf "$PLACE/build-interfaces"
}

# Built into a prefix that is on no path, so that most tests run without them, as most robots do.
need_interfaces() {
    local now names=()
    if [ -n "${DAM_WITHOUT_INTERFACES:-}" ]; then return; fi
    mapfile -t names < <(missing_interfaces)
    export DAM_TEST_INTERFACES=$PLACE/interfaces
    now=$({ echo "$ENVIRONMENT" "${names[@]}"; cd "$ROOT/tests/interfaces" || exit
        find . -type f -not -name '*.md' -print | sort | while read -r file; do echo "$file"; cat "$file"; done
    } | fingerprint)
    if is_stamped interfaces "$now" && [ -d "$PLACE/interfaces" ]; then return; fi
    if ((${#names[@]})); then
        step "Interfaces of others, for the tests (a minute): ${names[*]}" "$PLACE/log/interfaces.log" \
            build_interfaces "${names[@]}"
    else
        rm -rf "$PLACE/interfaces"
        mkdir "$PLACE/interfaces"
    fi
    stamp interfaces "$now"
}

enter() {
    local profile=$ROOT/config/fastdds.xml
    set +u
    # shellcheck disable=SC1091
    . "$PLACE/install/local_setup.bash"
    set -u
    case $DISTRO in  # Kilted warns, in every node, where the older name is set
        humble | iron | jazzy) export FASTRTPS_DEFAULT_PROFILES_FILE=${FASTRTPS_DEFAULT_PROFILES_FILE:-$profile} ;;
        *) export FASTDDS_DEFAULT_PROFILES_FILE=${FASTDDS_DEFAULT_PROFILES_FILE:-$profile} ;;
    esac
    export ROS_LOG_DIR=${ROS_LOG_DIR:-$PLACE/log/ros}
}

set_up() {  # [EXTRA...]: everything that is missing, then enter it
    local extra
    choose_ros
    choose_python
    PLACE=$ROOT/.dev/$DISTRO-$PYTHON_VERSION
    if [ "$KIND" = sourced ]; then PLACE+=-sourced; fi
    mkdir -p "$PLACE/log" "$PLACE/stamps"
    touch "$ROOT/.dev/COLCON_IGNORE"
    exec 9>"$PLACE/lock"
    flock -n 9 || { say 'waiting for another ./dev that is setting up'; flock 9; }
    need_venv
    for extra in "$@"; do
        case $extra in
            dam) need_torch ;; dam-or-not) need_torch_or_not ;; interfaces) ;; *) need_extra "$extra" ;;
        esac
    done
    enter_venv
    need_build
    case " $* " in *' interfaces '*) need_interfaces ;; esac
    enter
    exec 9>&-
}
