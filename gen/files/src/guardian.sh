# Tidies up when hwgen is dead, whatever it died of: then its input ends.
# A line of input: `+WARD` puts one on the list, `-WARD` takes it off, `=ID` says that every part of
# result ID is complete, so that what is left of it is put in place rather than removed.
trap '' HUP INT QUIT TERM
whole=' '
while IFS= read -r line; do
  case $line in
    =*) whole="$whole${line#=} " ;;
    +*) set -- "$@" "${line#+}" ;;
    -*)
      for ward do
        shift
        [ "$ward" = "${line#-}" ] || set -- "$@" "$ward"
      done
      ;;
  esac
done
for ward do
  case $ward in group:*) kill -s KILL -- "-${ward#group:}" ;; esac
done
for ward do
  rest=${ward#*:}
  case $ward in
    folder:*)
      # who was killed just now may still be writing
      rm -rf -- "$rest" || { sleep 1; rm -rf -- "$rest"; }
      ;;
    link:*)
      # link:WHERE IT LEADS:PATH
      path=${rest#*:}
      [ "$(readlink -- "$path")" = "${rest%%:*}" ] && rm -f -- "$path"
      ;;
    part:*)
      # part:ID:TEMPORARY NAME/NAME/FOLDER
      id=${rest%%:*}
      rest=${rest#*:}
      temporary=${rest%%/*}
      rest=${rest#*/}
      name=${rest%%/*}
      folder=${rest#*/}
      case $whole in
        *" $id "*) [ -e "$folder/$temporary" ] && mv -f -- "$folder/$temporary" "$folder/$name" ;;
        *) rm -f -- "$folder/$temporary" ;;
      esac
      ;;
  esac
done
