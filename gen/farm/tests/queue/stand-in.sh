#!/bin/sh
# Stands in for Slurm's commands and for `hq`, after its own name. Arrays run at once, on this machine.
# Beside it: `state` has a folder an array, with the process of each task; `silent` makes it fail; a task
# whose number is in `lost` never starts, once.
here=$(dirname "$0")
mkdir -p "$here/state"

submit() { # VARIABLE LAST SCRIPT
  id=1
  until mkdir "$here/state/$id" 2>/dev/null; do id=$((id + 1)); done
  cp "$3" "$here/state/$id/script"
  number=0
  while [ $number -le "$2" ]; do
    if [ "$(cat "$here/lost" 2>/dev/null)" = "$number" ]; then
      rm "$here/lost"
    else
      env "$1=$number" setsid sh "$here/state/$id/script" >/dev/null 2>&1 &
      echo $! >"$here/state/$id/$number"
    fi
    number=$((number + 1))
  done
}

alive() { # ARRAY: the numbers of its tasks that live
  for task in "$here/state/$1"/[0-9]*; do
    [ -f "$task" ] && kill -0 "$(cat "$task")" 2>/dev/null && basename "$task"
  done
}

cancel() { # ARRAY NUMBER
  # the leader of a session, and so of a group, or about to be
  task=$(cat "$here/state/$1/$2")
  kill -s KILL -- "-$task" 2>/dev/null || kill -s KILL "$task" 2>/dev/null || true
}

for word do last=$word; done
array() { # the last number of 0-N or 0-N%M
  sed -n 's/.*--array[= ]0-\([0-9]*\).*/\1/p' <<END
$*
END
}
case $* in *--version*) echo "$(basename "$0") 22.05.8"; exit ;; esac
[ ! -e "$here/silent" ] || { echo 'error: Unable to contact controller' >&2; exit 1; }
case $(basename "$0") in
  sbatch)
    submit SLURM_ARRAY_TASK_ID "$(array "$*")" "$last"
    echo $id
    ;;
  squeue)
    for id in $(ls "$here/state"); do
      for number in $(alive $id); do echo "$id $number None"; done
    done
    ;;
  scancel)
    for word do
      case $word in [0-9]*) cancel "${word%_*}" "${word#*_}" ;; esac
    done
    ;;
  hq)
    case "$2 $3" in
      submit*)
        submit HQ_TASK_ID "$(array "$*")" "$last"
        echo "{\"id\": $id}"
        ;;
      'job list')
        comma='['
        for id in $(ls "$here/state"); do
          running=$(alive $id | wc -l)
          echo "$comma{\"id\": $id, \"name\": \"a\", \"task_count\": 9, \"task_stats\":"
          echo "{\"canceled\": 0, \"failed\": 0, \"finished\": 0, \"running\": $running, \"waiting\": 0}}"
          comma=,
        done
        [ "$comma" = , ] || echo '['
        echo ']'
        ;;
      'job cancel') for number in $(alive $4); do cancel $4 $number; done ;;
    esac
    ;;
esac
