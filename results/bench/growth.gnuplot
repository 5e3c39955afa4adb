# growth.gnuplot: gnuplot growth.gnuplot draws growth.pdf, 3.25 in wide
set encoding utf8
set terminal pdfcairo size 3.25in,2.60in font 'Helvetica,7' fontscale 1 linewidth 0.8
set output 'growth.pdf'
set key above left Left reverse noenhanced samplen 2 font ',6'
set tics nomirror out scale 0.6 font ',5.5'
set title font ',6.5' offset 0,-0.6
set border 3
set multiplot layout 1,1 title 'tanh 64-w-w-1 on 256 points' noenhanced
$s0_0 << END
 9591 0.005629704 0.005629704 0.005629704
 1001881 0.01029207 0.01029207 0.01029207
 10012939 0.02735048 0.02735048 0.02735048
 100028881 0.085300605 0.085300605 0.085300605
 400058881 0.190180424 0.190180424 0.190180424
 1.0006772e+09 0.294291006 0.294291006 0.294291006
END
$s0_1 << END
 9591 0.000911091369 0.000911091369 0.000911091369
 1001881 0.00931189472 0.00931189472 0.00931189472
 10012939 0.0294381675 0.0294381675 0.0294381675
 100028881 0.0930449255 0.0930449255 0.0930449255
 400058881 0.186076678 0.186076678 0.186076678
 1.0006772e+09 0.294291006 0.294291006 0.294291006
END
$s0_2 << END
 9591 0.000411344 0.000411344 0.000411344
 1001881 0.013174275 0.013174275 0.013174275
 10012939 0.120318262 0.120318262 0.120318262
 100028881 1.09215411 1.09215411 1.09215411
 400058881 4.32415269 4.32415269 4.32415269
 1.0006772e+09 10.3714219 10.3714219 10.3714219
END
$s0_3 << END
 9591 9.94049902e-05 9.94049902e-05 9.94049902e-05
 1001881 0.0103838986 0.0103838986 0.0103838986
 10012939 0.103778136 0.103778136 0.103778136
 100028881 1.03673965 1.03673965 1.03673965
 400058881 4.14637151 4.14637151 4.14637151
 1.0006772e+09 10.3714219 10.3714219 10.3714219
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set logscale x; set format x '10^{%T}'
set xrange [*:*] noreverse
set xlabel 'parameters n' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set logscale y; set format y '10^{%T}'
set yrange [*:*] noreverse
set ylabel 'seconds' noenhanced
set title '' noenhanced
plot $s0_0 using 1:2 with points lc rgb '#0072b2' pt 7 ps 0.35 title 'K and its eigenvalues' noenhanced, \
  $s0_1 using 1:2 with lines lc rgb '#0072b2' dt 2 lw 1.5 title 'n^(1/2)' noenhanced, \
  $s0_2 using 1:2 with points lc rgb '#d55e00' pt 6 ps 0.35 title 'forward and adjoint: the factors' noenhanced, \
  $s0_3 using 1:2 with lines lc rgb '#d55e00' dt 2 lw 1.5 title 'n' noenhanced
unset multiplot
