/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CARNOT_METER_C_API_H
#define CARNOT_METER_C_API_H

/**
 * \file
 * The meter for programs that are not C++: libcarnot_meter.so. Plain C, no exception leaves it, no
 * signal handler is taken, no lock file made, no socket opened unless a BMC is asked for.
 *
 *     carnot_meter *meter;
 *     if (carnot_meter_open(NULL, &meter)) { puts(carnot_last_error()); ... }
 *     carnot_window *window;
 *     carnot_window_begin(meter, "epoch", CARNOT_SCOPE_PROCESS, CARNOT_STATIC_CAPACITY, &window);
 *     ...
 *     carnot_window_result result = {.size = sizeof result};
 *     carnot_window_end(window, &result);
 *     printf("%g J in [%g, %g]\n", result.own.energy_j, result.own.low_j, result.own.high_j);
 *     carnot_window_free(window);
 *     carnot_meter_close(meter);
 *
 * Every call that can fail returns a carnot_status; on anything but CARNOT_OK what it writes is
 * left as it was and carnot_last_error() says why, in this thread. Structs that may grow begin with
 * `size`, which the caller sets to sizeof; 0 or a smaller known size is an older caller's.
 *
 * Meters may be used from any thread, and from a child after fork. A window is used by one thread
 * at a time; it counts the CPU time of the thread (or of the process) it was begun on.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CARNOT_API __attribute__((visibility("default")))
#else
#define CARNOT_API
#endif

/** Same meanings as the exit codes of the command line. */
typedef enum carnot_status {
  CARNOT_OK = 0,
  CARNOT_BAD_INPUT = 3, /**< an argument or option cannot be meant */
  CARNOT_FAILED = 4,    /**< a device, a sensor or a file failed or is missing */
  CARNOT_BUG = 70       /**< of carnot itself */
} carnot_status;

/** How a number came to be, from most to least trusted. */
typedef enum carnot_origin {
  CARNOT_MEASURED = 0,
  CARNOT_PUBLISHED = 1,
  CARNOT_MODELLED = 2,
  CARNOT_ASSUMED = 3
} carnot_origin;

/** Which joules are inside the number. */
typedef enum carnot_boundary {
  CARNOT_CHIP = 0,     /**< processor packages, memory, accelerators */
  CARNOT_NODE = 1,     /**< everything behind one power supply */
  CARNOT_FACILITY = 2, /**< the building's meter */
  CARNOT_NO_BOUNDARY = 3
} carnot_boundary;

/** Whose CPU time a window counts as its own. */
/** Whose CPU time a window counts; a process is counted with all it started. */
typedef enum carnot_scope { CARNOT_SCOPE_THREAD = 0, CARNOT_SCOPE_PROCESS = 1 } carnot_scope;

/** Who pays for static energy: what the machine spends however little it does. */
typedef enum carnot_static_policy {
  CARNOT_STATIC_CAPACITY = 0, /**< share of all CPU time there is */
  CARNOT_STATIC_BUSY = 1,     /**< share of busy CPU time */
  CARNOT_STATIC_WHOLE = 2,    /**< all of it: the machine was reserved */
  CARNOT_STATIC_NONE = 3      /**< dynamic energy alone */
} carnot_static_policy;

/** How a channel counts towards the machine's energy. */
typedef enum carnot_role {
  CARNOT_COUNTED = 0,   /**< in the sum */
  CARNOT_PART = 1,      /**< inside a counted channel */
  CARNOT_BESIDE = 2,    /**< contains or overlaps counted ones; never added */
  CARNOT_DUPLICATE = 3, /**< the same register seen again */
  CARNOT_STAND_IN = 4   /**< the power model: in the sum for the time in which no sensor of the
                             processors says anything */
} carnot_role;

/** Energy with its 90 % interval. */
typedef struct carnot_energy {
  double energy_j, low_j, high_j;
  int32_t origin;   /**< carnot_origin */
  int32_t boundary; /**< carnot_boundary */
} carnot_energy;

/** Options of a meter. Zero is the default of every one. */
typedef struct carnot_meter_options {
  size_t size;              /**< sizeof(carnot_meter_options) */
  const char* sysfs_root;   /**< NULL: "/sys" */
  const char* procfs_root;  /**< NULL: "/proc" */
  const char* dev_root;     /**< NULL: "/dev" */
  const char* nvml;         /**< library; NULL: libnvidia-ml.so.1; "none": do not look */
  const char* amd_smi;      /**< library; NULL: libamd_smi.so; "none": do not look */
  const char* redfish;      /**< URL of a BMC; NULL: none. The only thing that opens a socket */
  const char* redfish_user; /**< NULL: none */
  const char* redfish_password;
  const char* record_to;   /**< copy every reading to this file */
  const char* replay_from; /**< read that instead of the machine */
  int32_t msr;             /**< nonzero: look at /dev/cpu/N/msr too */
  int32_t ipmi;            /**< nonzero: ask /dev/ipmi0 too */
  int32_t no_model;        /**< nonzero: without a sensor fail instead of modelling */
  int32_t keep_alive;      /**< nonzero: a thread samples, so that no counter turns unseen */
} carnot_meter_options;

/** One thing the meter reads. Strings live as long as the meter. */
typedef struct carnot_channel {
  const char *id, *label, *source, *kind;
  const char* of;     /**< id of the channel it is part or duplicate of; may be empty */
  const char* reason; /**< why it has its role; may be empty */
  int32_t role;       /**< carnot_role */
  int32_t origin;     /**< carnot_origin */
  int32_t boundary;   /**< carnot_boundary */
  int32_t socket, device;
} carnot_channel;

/** Something that cannot be measured here, why, and the one command that mends it. */
typedef struct carnot_note {
  const char *what, *why, *remedy; /**< remedy may be empty */
} carnot_note;

/** What a window measured. */
typedef struct carnot_window_result {
  size_t size;             /**< sizeof(carnot_window_result) */
  carnot_energy machine;   /**< everything this machine spent meanwhile */
  carnot_energy own;       /**< of it, the window's scope */
  carnot_energy exclusive; /**< own, without windows nested in this thread: may be summed */
  double duration_s;       /**< awake */
  double asleep_s;         /**< suspended */
  double unobserved_s;     /**< of which no counter tells */
  double cpu_s;            /**< of the scope */
  int32_t overlapped;      /**< nonzero: another window of this process was open at some time */
} carnot_window_result;

/** A named cause of a figure's error: what moving it by its half-width at 90 % up or down does to
 *  the figure. Equal names are the same error, in sums they add with their signs; different ones
 *  are independent. */
typedef struct carnot_cause {
  const char* name;
  double up, down; /**< in the figure's unit; `down` usually negative */
} carnot_cause;

/** Figures of a window; from CARNOT_CHANNEL on, the channels in their order. */
typedef enum carnot_figure {
  CARNOT_MACHINE = 0,
  CARNOT_OWN = 1,
  CARNOT_EXCLUSIVE = 2,
  CARNOT_CHANNEL = 3
} carnot_figure;

/** Figures of an account. */
typedef enum carnot_account_figure {
  CARNOT_ACCOUNT_FACILITY = 0, /**< J */
  CARNOT_ACCOUNT_CARBON = 1,   /**< g, operational */
  CARNOT_ACCOUNT_EMBODIED = 2, /**< g */
  CARNOT_ACCOUNT_COST = 3      /**< EUR */
} carnot_account_figure;

/** From joules at the machine to grams and money. */
typedef struct carnot_account_options {
  size_t size;              /**< sizeof(carnot_account_options) */
  const char* location;     /**< "DE", "US-CA", ...; NULL or "": the world's range */
  const char* machine;      /**< for the embodied share: "server", "laptop", ...; NULL: server */
  double pue;               /**< >= 1; 0: not known */
  double carbon_g_per_kwh;  /**< overrides the location's; negative or 0: the location's */
  double price_eur_per_kwh; /**< negative or 0: published */
  double machine_share;     /**< of the machine that is ours, (0, 1]; 0: all */
} carnot_account_options;

typedef struct carnot_account_result {
  size_t size; /**< sizeof(carnot_account_result) */
  carnot_energy facility;
  double carbon_g, carbon_low_g, carbon_high_g; /**< operational */
  double embodied_g, embodied_low_g, embodied_high_g;
  double cost_eur, cost_low_eur, cost_high_eur;
  double grid_g_per_kwh; /**< the intensity used */
  int32_t carbon_origin; /**< carnot_origin */
  int32_t grid_year;
  char grid_code[16]; /**< "WORLD" where the location is not known */
  char grid_name[64];
} carnot_account_result;

typedef struct carnot_meter carnot_meter;
typedef struct carnot_window carnot_window;

/** Version of the library, such as "0.1.0". */
CARNOT_API const char* carnot_version(void);
/** Why the last call of this thread failed; "" if none did. Valid until the next call that fails.
 */
CARNOT_API const char* carnot_last_error(void);
/** "measured", ... and "chip", ...; "?" for a number that is none. */
CARNOT_API const char* carnot_origin_name(int32_t origin);
CARNOT_API const char* carnot_boundary_name(int32_t boundary);

/** Finds what can be read here and takes a first reading. \param options NULL: all defaults */
CARNOT_API carnot_status carnot_meter_open(const carnot_meter_options* options, carnot_meter** out);
/** NULL is allowed. All its windows must have been freed. */
CARNOT_API void carnot_meter_close(carnot_meter* meter);

CARNOT_API size_t carnot_meter_channel_count(const carnot_meter* meter);
CARNOT_API carnot_status carnot_meter_channel(const carnot_meter* meter, size_t index,
                                              carnot_channel* out);
CARNOT_API size_t carnot_meter_note_count(const carnot_meter* meter);
CARNOT_API carnot_status carnot_meter_note(const carnot_meter* meter, size_t index,
                                           carnot_note* out);
/** Of the machine's total. */
CARNOT_API int32_t carnot_meter_origin(const carnot_meter* meter);
CARNOT_API int32_t carnot_meter_boundary(const carnot_meter* meter);

/** \param label  NULL: "" */
CARNOT_API carnot_status carnot_window_begin(carnot_meter* meter, const char* label,
                                             carnot_scope scope, carnot_static_policy policy,
                                             carnot_window** out);
/** What the window measured so far; it goes on. */
CARNOT_API carnot_status carnot_window_look(carnot_window* window, carnot_window_result* out);
/** Ends the window; a second call gives the same result. */
CARNOT_API carnot_status carnot_window_end(carnot_window* window, carnot_window_result* out);
/** Energy of every channel, whatever its role, at the last look or end.
 *  \param out    `count` structs; the first min(count, channels) are written */
CARNOT_API carnot_status carnot_window_channels(const carnot_window* window, carnot_energy* out,
                                                size_t count);
/** Causes of one figure's error at the last look or end. The names live until the next look or end
 *  of the window.
 *  \param figure  a carnot_figure, or CARNOT_CHANNEL plus the channel's index
 *  \param out     `count` structs; the first min(count, causes) are written; NULL with count 0
 *  \param causes  how many there are */
CARNOT_API carnot_status carnot_window_causes(const carnot_window* window, size_t figure,
                                              carnot_cause* out, size_t count, size_t* causes);
/** NULL is allowed. A window that was not ended is dropped. */
CARNOT_API void carnot_window_free(carnot_window* window);

/** \param start_unix_s  when the energy was spent, seconds since 1970 */
CARNOT_API carnot_status carnot_account(const carnot_energy* energy, double start_unix_s,
                                        double duration_s, const carnot_account_options* options,
                                        carnot_account_result* out);
/** Causes of one figure of such an account's error. The energy's own error is the cause
 *  "measurement". The names live until this thread's next call.
 *  \param figure  a carnot_account_figure */
CARNOT_API carnot_status carnot_account_causes(const carnot_energy* energy, double start_unix_s,
                                               double duration_s,
                                               const carnot_account_options* options, size_t figure,
                                               carnot_cause* out, size_t count, size_t* causes);

#ifdef __cplusplus
}
#endif

#endif
