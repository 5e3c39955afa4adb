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
 9591 0.009365271 0.009365271 0.009365271
 1001881 0.013633384 0.013633384 0.013633384
 10012939 0.025956597 0.025956597 0.025956597
 100028881 0.070153355 0.070153355 0.070153355
 400058881 0.121714751 0.121714751 0.121714751
 1.0006772e+09 0.226517282 0.226517282 0.226517282
END
$s0_1 << END
 9591 0.000701271654 0.000701271654 0.000701271654
 1001881 0.00716741266 0.00716741266 0.00716741266
 10012939 0.022658707 0.022658707 0.022658707
 100028881 0.0716171517 0.0716171517 0.0716171517
 400058881 0.143224164 0.143224164 0.143224164
 1.0006772e+09 0.226517282 0.226517282 0.226517282
END
$s0_2 << END
 9591 0.000389066 0.000389066 0.000389066
 1001881 0.009802672 0.009802672 0.009802672
 10012939 0.080376757 0.080376757 0.080376757
 100028881 0.67428563 0.67428563 0.67428563
 400058881 2.52817022 2.52817022 2.52817022
 1.0006772e+09 6.75858993 6.75858993 6.75858993
END
$s0_3 << END
 9591 6.47777684e-05 6.47777684e-05 6.47777684e-05
 1001881 0.00676672041 0.00676672041 0.00676672041
 10012939 0.0676275512 0.0676275512 0.0676275512
 100028881 0.675596673 0.675596673 0.675596673
 400058881 2.70200412 2.70200412 2.70200412
 1.0006772e+09 6.75858993 6.75858993 6.75858993
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
