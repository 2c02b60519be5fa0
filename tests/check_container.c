/* SPDX-License-Identifier: MIT */
/*
 * check_container - tests of cli/container_of.c, cell by cell, and of cli/container.c and cli/runtime_state.c on
 * made-up trees and state directories.  A real runc is in tests/cli/container-runc.sh.
 */
#include "container.h"

#include <errno.h>

#include "made_cgroups.h"

#define A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define A2 "0123456789ab0000000000000000000000000000000000000000000000000000"
#define B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID "8f2c0ee4-6b1f-4c7d-9d35-0a1b2c3d4e5f"
#define UID_ "8f2c0ee4_6b1f_4c7d_9d35_0a1b2c3d4e5f"
#define KUBEPODS "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice"

static const struct {
	const char *below, *id, *kind;	/* id NULL: is no container's */
} spellings[] = {
	/* Docker: systemd driver, without root, cgroupfs, a parent of its own, inside another. */
	{ "/system.slice/docker-" A ".scope", A, "Docker" },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" A ".scope", A, "Docker" },
	{ "/docker/" A, A, "container" },
	{ "/my.parent/" A, A, "container" },
	{ "/docker/" A "/docker/" B, B, "container" },
	{ "/system.slice/docker-" A ".scope/docker/" B, B, "container" },
	/* Podman: the same, its conmon, its pods, --cgroups=split. */
	{ "/machine.slice/libpod-" A ".scope", A, "Podman" },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" A ".scope", A, "Podman" },
	{ "/machine.slice/libpod-conmon-" A ".scope", NULL, NULL },
	{ "/machine.slice/libpod-" A ".scope/container", NULL, NULL },
	{ "/libpod_parent/libpod-" A, A, "Podman" },
	{ "/libpod_parent/libpod-conmon-" A, NULL, NULL },
	{ "/libpod_parent/conmon", NULL, NULL },
	{ "/libpod_parent/" B "/libpod-" A, A, "Podman" },
	{ "/machine.slice/machine-libpod_pod_" B ".slice", B, "Podman pod" },
	{ "/machine.slice/machine-libpod_pod_" B ".slice/libpod-" A ".scope", A, "Podman" },
	{ "/system.slice/web.service/libpod-payload-" A, A, "Podman" },
	{ "/system.slice/web.service/runtime", NULL, NULL },
	/* containerd: CRI with either driver, both mixed up, ctr and nerdctl. */
	{ KUBEPODS "/cri-containerd-" A ".scope", A, "containerd" },
	{ "/kubepods/burstable/pod" UID "/" A, A, "container" },
	{ "/kubepods/pod" UID "/" A, A, "container" },
	{ "/system.slice/containerd.service/kubepods-burstable-pod" UID_ ".slice:cri-containerd:" A, A, "containerd" },
	{ "/kubepods-besteffort-pod" UID_ ".slice:cri-containerd:" A, A, "containerd" },
	{ "/default/" A, A, "container" },
	{ "/k8s.io/" A, A, "container" },
	{ "/system.slice/nerdctl-" A ".scope", A, "containerd" },
	/* CRI-O. */
	{ KUBEPODS "/crio-" A ".scope", A, "CRI-O" },
	{ KUBEPODS "/crio-" A ".scope/container", NULL, NULL },
	{ KUBEPODS "/crio-conmon-" A ".scope", NULL, NULL },
	{ "/kubepods/besteffort/pod" UID "/crio-" A, A, "CRI-O" },
	{ "/kubepods/besteffort/pod" UID "/crio-conmon-" A, NULL, NULL },
	{ "/kubepods-pod" UID_ ".slice:crio:" A, A, "CRI-O" },
	/* Docker below Kubernetes (dockershim), and mixed up. */
	{ KUBEPODS "/docker-" A ".scope", A, "Docker" },
	{ "/system.slice:docker:" A, A, "Docker" },
	{ "/machine.slice:libpod:" A, A, "Podman" },
	/* Pods, guaranteed, burstable, static, below a kubelet with a parent of its own. */
	{ KUBEPODS, UID, "Kubernetes pod" },
	{ "/kubepods.slice/kubepods-pod" UID_ ".slice", UID, "Kubernetes pod" },
	{ "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" UID_ ".slice", UID, "Kubernetes pod" },
	{ "/kubepods/besteffort/pod" UID, UID, "Kubernetes pod" },
	{ "/kubepods/pod0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef", "Kubernetes pod" },
	{ "/kubepods.slice/kubepods-burstable.slice", NULL, NULL },
	/* runc and crun with the systemd driver: any id. */
	{ "/system.slice/runc-web.scope", "web", "runc" },
	{ "/system.slice/crun-my-web_1.scope", "my-web_1", "crun" },
	{ "/system.slice:runc:web", "web", "runc" },
	/* What looks alike and is none. */
	{ "/system.slice/docker.service", NULL, NULL },
	{ "/system.slice/docker-abc.scope", NULL, NULL },
	{ "/system.slice/docker-" A, NULL, NULL },
	{ "/system.slice/docker-" A "0.scope", NULL, NULL },
	{ "/docker/0123456789abcdef", NULL, NULL },
	{ "/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", NULL, NULL },
	{ "/docker", NULL, NULL },
	{ "/system.slice/runc-.scope", NULL, NULL },
	{ "/system.slice:runc:", NULL, NULL },
	{ "/system.slice:other:" A, NULL, NULL },
	{ "/podman", NULL, NULL },
	{ "/pod", NULL, NULL },
	{ "/pods/pod" A, NULL, NULL },
	{ "/a-pod" UID_ ".slice", NULL, NULL },
	{ "/", NULL, NULL },
	{ "", NULL, NULL },
};

START_TEST(each_spelling_is_read_as_what_it_is)
{
	char id[HF_CONTAINER_ID_MAX + 1];
	const char *kind = NULL;
	bool is = hf_container_of(spellings[_i].below, id, &kind);

	ck_assert_msg(is == !!spellings[_i].id, "%s", spellings[_i].below);
	if (is) {
		ck_assert_str_eq(id, spellings[_i].id);
		ck_assert_str_eq(kind, spellings[_i].kind);
	}
}
END_TEST

/* ---- Finding ----------------------------------------------------------------------------- */

static struct hf_state_places places;

static void make_all(void)
{
	make_cgroups();
	places = (struct hf_state_places){ .root = made_top, .machine = true };
}

static char name[HF_CONTAINER_ID_MAX + 1], path[PATH_MAX];
static struct hf_error err;

static int find(const char *wanted)
{
	err = (struct hf_error)HF_ERROR_INIT;
	snprintf(path, sizeof(path), "untouched");
	return hf_container_find(&made_mounts, &places, wanted, path, name, &err);
}

static void must_find(const char *wanted, enum hf_mount mount, const char *below, const char *called)
{
	int r = find(wanted);

	ck_assert_msg(r == 0, "%s: %s", wanted, err.text);
	ck_assert_str_eq(path, made_path(mount, below));
	ck_assert_str_eq(name, called);
}

/* Every spelling that is a container's, on each freezer, by the whole id and by its beginning. */
START_TEST(each_spelling_is_found_by_id_and_prefix)
{
	enum hf_mount mount = (enum hf_mount)(_i % HF_MOUNT_COUNT);
	const char *below = spellings[_i / HF_MOUNT_COUNT].below, *id = spellings[_i / HF_MOUNT_COUNT].id;
	char prefix[3] = "", called[HF_CONTAINER_ID_MAX + 1];

	if (!*below || !below[1])
		return;		/* the root is no cgroup that could be made */
	make_cgroup(mount, below, MADE_POPULATED);
	if (!id) {
		ck_assert_int_eq(find("0123"), strstr(below, "libpod-" A ".scope") || strstr(below, "crio-" A ".scope")
					       ? 0 : -ENOENT);
		return;
	}
	snprintf(called, sizeof(called), "%.*s", strlen(id) == 64 ? 12 : 255, id);
	must_find(id, mount, below, called);
	memcpy(prefix, id, 2);
	must_find(prefix, mount, below, called);
}
END_TEST

START_TEST(a_prefix_of_two_lists_both_and_a_whole_id_is_enough)
{
	make_cgroup(HF_MOUNT_V2, "/docker/" A, MADE_POPULATED);
	make_cgroup(HF_MOUNT_V2, "/machine.slice/libpod-" A2 ".scope", MADE_POPULATED);
	make_cgroup(HF_MOUNT_V2, "/machine.slice/libpod-" B ".scope", MADE_POPULATED);
	ck_assert_int_eq(find("01234567"), -ENOTUNIQ);
	ck_assert_str_eq(path, "untouched");
	ck_assert_msg(strstr(err.text, "2 containers have an id that begins with 01234567: " A2 " (Podman), " A
			     " (container)"), "%s", err.text);
	must_find("0123456789abc", HF_MOUNT_V2, "/docker/" A, "0123456789ab");
	must_find(A2, HF_MOUNT_V2, "/machine.slice/libpod-" A2 ".scope", "0123456789ab");
	ck_assert_int_eq(find("1234"), -ENOENT);
	ck_assert_int_eq(find(A "0"), -ENOENT);
}
END_TEST

START_TEST(an_id_within_another_is_a_container_of_its_own)
{
	make_cgroup(HF_MOUNT_V2, "/runc-w1-web.scope", MADE_POPULATED);
	make_cgroup(HF_MOUNT_V2, "/runc-web.scope", MADE_POPULATED);
	ck_assert_int_eq(find("w"), -ENOTUNIQ);
	ck_assert_str_eq(path, "untouched");
	must_find("we", HF_MOUNT_V2, "/runc-web.scope", "web");
}
END_TEST

START_TEST(in_both_hierarchies_it_is_one_container)
{
	make_cgroup(HF_MOUNT_V2, "/docker/" A, MADE_EMPTY);
	make_cgroup(HF_MOUNT_V1, "/docker/" A, MADE_POPULATED);
	must_find(A, HF_MOUNT_V1, "/docker/" A, "0123456789ab");
	make_cgroup(HF_MOUNT_V2, "/docker/" A, MADE_POPULATED);
	must_find(A, HF_MOUNT_V2, "/docker/" A, "0123456789ab");
	make_cgroup(HF_MOUNT_V1, "/docker/" A, MADE_FROZEN);
	must_find(A, HF_MOUNT_V1, "/docker/" A, "0123456789ab");
}
END_TEST

START_TEST(the_helpers_of_a_container_are_not_taken_for_it)
{
	make_cgroup(HF_MOUNT_V2, "/machine.slice/libpod-conmon-" A ".scope", MADE_POPULATED);
	ck_assert_int_eq(find(A), -ENOENT);
	make_cgroup(HF_MOUNT_V2, "/machine.slice/libpod-" A ".scope/container", MADE_POPULATED);
	make_cgroup(HF_MOUNT_V2, "/machine.slice/libpod-" A ".scope", MADE_POPULATED);
	must_find("0123", HF_MOUNT_V2, "/machine.slice/libpod-" A ".scope", "0123456789ab");
}
END_TEST

/* ---- Names ------------------------------------------------------------------------------- */

static const struct {
	const char *file, *text;
} named[] = {
	{ "/var/lib/docker/containers/" A "/config.v2.json", "{\"ID\":\"" A "\",\"Name\":\"/web\",\"State\":{}}" },
	{ "/var/lib/containers/storage/overlay-containers/containers.json",
	  "[{\"id\":\"" B "\",\"names\":[\"db\"]},{\"id\":\"" A "\",\"names\":[\"x\",\"web\"],\"layer\":\"1\"}]" },
	{ "/var/lib/containers/storage/overlay-containers/volatile-containers.json",
	  "[{\"id\":\"" A "\",\"names\":[\"web\"]}]" },
	{ "/var/lib/nerdctl/1935db59/names/default/web", A },
	{ "/var/lib/nerdctl/1935db59/names/k8s.io/web", A "\n" },
};

START_TEST(a_name_is_known_from_the_runtimes_state)
{
	make_cgroup(HF_MOUNT_V2, "/docker/" A, MADE_POPULATED);
	make_cgroup(HF_MOUNT_V2, "/docker/" B, MADE_POPULATED);
	ck_assert_int_eq(find("web"), -ENOENT);
	make_file(named[_i].file, named[_i].text);
	must_find("web", HF_MOUNT_V2, "/docker/" A, "web");
	ck_assert_int_eq(find("we"), -ENOENT);
	/* Not for us: others' directories. */
	places.machine = false;
	ck_assert_int_eq(find("web"), -ENOENT);
}
END_TEST

START_TEST(a_user_has_state_directories_of_its_own)
{
	char data[128], runtime[128];

	snprintf(data, sizeof(data), "/home/u/.local/share");
	snprintf(runtime, sizeof(runtime), "/run/user/7");
	make_cgroup(HF_MOUNT_V2, "/docker/" A, MADE_POPULATED);
	make_cgroup(HF_MOUNT_V2, "/x/y", MADE_POPULATED);
	make_file("/home/u/.local/share/docker/containers/" A "/config.v2.json",
		  "{\"ID\":\"" A "\",\"Name\":\"/web\"}");
	make_file("/run/user/7/crun/mine/status", "{\"cgroup-path\":\"/x/y\"}");
	ck_assert_int_eq(find("web"), -ENOENT);
	places = (struct hf_state_places){ .root = made_top, .data = data, .runtime = runtime };
	must_find("web", HF_MOUNT_V2, "/docker/" A, "web");
	must_find("mine", HF_MOUNT_V2, "/x/y", "mine");
}
END_TEST

START_TEST(a_named_container_without_a_cgroup_does_not_run)
{
	make_file(named[0].file, named[0].text);
	ck_assert_int_eq(find("web"), -ESRCH);
	ck_assert_msg(strstr(err.text, "web does not run: Docker has it as 0123456789ab"), "%s", err.text);
}
END_TEST

START_TEST(a_name_goes_before_the_beginning_of_an_id_and_after_a_whole_one)
{
	make_cgroup(HF_MOUNT_V2, "/docker/" A, MADE_POPULATED);
	make_cgroup(HF_MOUNT_V2, "/docker/" B, MADE_POPULATED);
	make_file("/var/lib/docker/containers/" B "/config.v2.json", "{\"ID\":\"" B "\",\"Name\":\"/0123\"}");
	make_file("/var/lib/docker/containers/" A2 "/config.v2.json", "{\"ID\":\"" B "\",\"Name\":\"/" A "\"}");
	must_find("0123", HF_MOUNT_V2, "/docker/" B, "0123");
	must_find("012", HF_MOUNT_V2, "/docker/" A, "0123456789ab");
	must_find(A, HF_MOUNT_V2, "/docker/" A, "0123456789ab");
}
END_TEST

START_TEST(a_name_that_two_have_lists_both)
{
	make_cgroup(HF_MOUNT_V2, "/docker/" A, MADE_POPULATED);
	make_cgroup(HF_MOUNT_V2, "/default/" B, MADE_POPULATED);
	make_file(named[0].file, named[0].text);
	make_file(named[3].file, B);
	ck_assert_int_eq(find("web"), -ENOTUNIQ);
	ck_assert_msg(strstr(err.text, "2 containers are called web: " A " (container), " B), "%s", err.text);
}
END_TEST

/* ---- runc and crun ----------------------------------------------------------------------- */

static void make_runc(const char *id, const char *v2, const char *v1)
{
	char text[PATH_MAX], file[128], v2_path[PATH_MAX], v1_path[PATH_MAX];

	snprintf(v2_path, sizeof(v2_path), "%.200s/v2%.200s", made_top, v2);
	snprintf(v1_path, sizeof(v1_path), "%.200s/v1%.200s", made_top, v1);
	snprintf(text, sizeof(text), "{\"id\":\"%s\",\"cgroup_paths\":{\"\":\"%.500s\",\"freezer\":\"%.500s\",\"cpu\":\"/x\"}}",
		 id, v2_path, v1_path);
	snprintf(file, sizeof(file), "/run/runc/%s/state.json", id);
	make_file(file, text);
}

START_TEST(runc_tells_where_it_has_put_a_container)
{
	make_runc("web", "/a/web", "/a/web");
	make_runc("gone", "/a/gone", "/a/gone");
	make_cgroup(HF_MOUNT_V2, "/a/web", MADE_POPULATED);
	make_cgroup(HF_MOUNT_V1, "/a/web", MADE_POPULATED);
	must_find("web", HF_MOUNT_V2, "/a/web", "web");
	must_find("we", HF_MOUNT_V2, "/a/web", "web");
	make_cgroup(HF_MOUNT_V1, "/a/web", MADE_FROZEN);
	must_find("web", HF_MOUNT_V1, "/a/web", "web");
	ck_assert_int_eq(find("gone"), -ENOENT);
}
END_TEST

START_TEST(crun_tells_it_below_the_mounts)
{
	enum hf_mount mount = (enum hf_mount)_i;

	make_file("/run/crun/web/status", "{\"pid\":1,\"cgroup-path\":\"/a/web\",\"systemd-cgroup\":false}");
	make_cgroup(mount, "/a/web", MADE_POPULATED);
	must_find("web", mount, "/a/web", "web");
}
END_TEST

static const char *const broken[] = {
	"", "{", "null", "[]", "{}", "7", "\"x\"", "{\"cgroup_paths\":7}", "{\"cgroup_paths\":{\"\":7,\"freezer\":null}}",
	"{\"cgroup_paths\":{\"\":\"relative\"}}", "{\"cgroup-path\":[]}", "{\"cgroup-path\":\"\"}",
	"{\"cgroup-path\":\"/\"}", "[7,{},{\"id\":7},{\"id\":\"a\",\"names\":7},{\"id\":\"a\",\"names\":[7,null]}]",
	"{\"ID\":7,\"Name\":\"web\"}", "{\"ID\":\"" A "\",\"Name\":\"/\"}", "\xff\xfe", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
};

START_TEST(files_that_are_not_as_expected_are_passed_over)
{
	make_cgroup(HF_MOUNT_V2, "/docker/" A, MADE_POPULATED);
	make_file("/run/runc/web/state.json", broken[_i]);
	make_file("/run/crun/web/status", broken[_i]);
	make_file(named[0].file, broken[_i]);
	make_file(named[1].file, broken[_i]);
	ck_assert_int_eq(find("web"), -ENOENT);
	must_find(A, HF_MOUNT_V2, "/docker/" A, "0123456789ab");
}
END_TEST

/* ---- For completion ---------------------------------------------------------------------- */

static void add_word(const char *word, void *data)
{
	char *words = data;

	snprintf(words + strlen(words), 512 - strlen(words), "%s ", word);
}

START_TEST(completion_offers_ids_and_names_once)
{
	char words[512] = "";

	make_cgroup(HF_MOUNT_V2, "/docker/" A, MADE_POPULATED);
	make_cgroup(HF_MOUNT_V1, "/docker/" A, MADE_POPULATED);
	make_cgroup(HF_MOUNT_V2, "/a/mine", MADE_POPULATED);
	make_runc("mine", "/a/mine", "/a/mine");
	make_file(named[0].file, named[0].text);
	make_file("/var/lib/docker/containers/" B "/config.v2.json", "{\"ID\":\"" B "\",\"Name\":\"/idle\"}");
	ck_assert_int_eq(hf_container_words(&made_mounts, &places, add_word, words), 0);
	ck_assert_str_eq(words, "0123456789ab mine web ");
}
END_TEST

static void add_case(Suite *suite, const char *title, const TTest *test, int n)
{
	TCase *tcase = tcase_create(title);

	tcase_add_checked_fixture(tcase, make_all, remove_cgroups);
	tcase_add_loop_test(tcase, test, 0, n);
	suite_add_tcase(suite, tcase);
}

int main(void)
{
	Suite *suite = suite_create("container");

	add_case(suite, "spellings", each_spelling_is_read_as_what_it_is, COUNT_OF(spellings));
	add_case(suite, "found", each_spelling_is_found_by_id_and_prefix, COUNT_OF(spellings) * HF_MOUNT_COUNT);
	add_case(suite, "prefix", a_prefix_of_two_lists_both_and_a_whole_id_is_enough, 1);
	add_case(suite, "alike", an_id_within_another_is_a_container_of_its_own, 1);
	add_case(suite, "hybrid", in_both_hierarchies_it_is_one_container, 1);
	add_case(suite, "helpers", the_helpers_of_a_container_are_not_taken_for_it, 1);
	add_case(suite, "names", a_name_is_known_from_the_runtimes_state, COUNT_OF(named));
	add_case(suite, "user", a_user_has_state_directories_of_its_own, 1);
	add_case(suite, "idle", a_named_container_without_a_cgroup_does_not_run, 1);
	add_case(suite, "order", a_name_goes_before_the_beginning_of_an_id_and_after_a_whole_one, 1);
	add_case(suite, "two", a_name_that_two_have_lists_both, 1);
	add_case(suite, "runc", runc_tells_where_it_has_put_a_container, 1);
	add_case(suite, "crun", crun_tells_it_below_the_mounts, HF_MOUNT_COUNT);
	add_case(suite, "broken", files_that_are_not_as_expected_are_passed_over, COUNT_OF(broken));
	add_case(suite, "words", completion_offers_ids_and_names_once, 1);
	return hf_suite_run(suite);
}
