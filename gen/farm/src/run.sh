# One attempt at a job, the same on all engines: TICKET SECONDS JOB PROGRAM ARGUMENT..
# In the job's folder it leaves `result`, or `end-TICKET`: a line that says why there is none, and the
# last of what the program wrote on standard error.
ticket=$1 seconds=$2 job=$3
shift 3
try=$job/try-$ticket
end() {
  {
    echo "$1"
    [ ! -f "$try/stderr" ] || tail -c 4096 "$try/stderr"
  } >"$job/.end-$ticket"
  mv -f "$job/.end-$ticket" "$job/end-$ticket"
  exit 1
}
# whatever the program starts has the lock, too: it is free once nothing of the job lives
exec 9>>"$job/lock"
said=$(flock -n -E 75 9 2>&1)
case $? in
  0) ;;
  75) end busy ;;
  *) end "error cannot lock $job/lock: $said" ;;
esac
[ ! -d "$job/result" ] || exit 0
# who made them is dead
rm -rf "$job"/try-*
said=$(mkdir "$try" 2>&1 && cp "$job/request.json" "$try/" 2>&1) || end "error $said"
cd "$try" || end "error cannot enter $try"
began=$(date +%s)
if [ "$seconds" -gt 0 ]; then
  timeout -k 5 "$seconds" "$@" "$try" </dev/null >stdout 2>stderr
else
  "$@" "$try" </dev/null >stdout 2>stderr
fi
code=$?
if [ "$seconds" -gt 0 ] && [ $(($(date +%s) - began)) -ge "$seconds" ]; then
  case $code in 124 | 137) end 'time' ;; esac
fi
[ $code -eq 0 ] || end "exit $code"
[ -e result.json ] || end 'no result'
odd=$(find . ! -type f ! -type d -print -quit)
[ -z "$odd" ] || end "error it left $odd, which is neither a file nor a folder"
[ -f result.json ] || end 'error it left a folder for result.json'
seal=$job/.seal-$ticket
if said=$({ find . -type f -printf '%P\0' | sort -z | xargs -0 sha256sum -- >"$seal" &&
  mv -f "$seal" .hwgen.sha256 && find . -type f -exec sync {} + && sync .; } 2>&1); then
  # the first stays: a folder that has something in it is not replaced
  said=$(mv -T "$try" "$job/result" 2>&1) && sync "$job"
fi
[ -d "$job/result" ] || end "error cannot keep the result: $said"
rm -rf "$try"
exit 0
